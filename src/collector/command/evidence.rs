// SPDX-License-Identifier: Apache-2.0
//! What the verbs about proofs share: where the log is, keys, and small files.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use collector::Settings;
use collector::proof::{Chain, Key};

use super::{COLLECTOR_CONFIG, Failure};

/// The folder of the log: the one named, or the collector's.
pub(super) fn log_folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let config = Path::new(COLLECTOR_CONFIG);
    let folder = match given {
        Some(folder) => folder.to_owned(),
        None if config.exists() => Settings::read(config)?.log,
        None => Settings::default().log,
    };
    match fs::read_dir(&folder) {
        Ok(_) => Ok(folder),
        Err(error) => Err(Failure::path("read the log", folder, "name its folder")(error)),
    }
}

/// A key from the command line: itself, or the file that holds it.
pub(super) fn key(given: &str) -> Result<Key, Failure> {
    let text = match Path::new(given).is_file() {
        true => read_text(Path::new(given))?,
        false => given.to_owned(),
    };
    Key::parse(text.trim()).map_err(|flaw| Failure::Refused(format!("--key: {flaw}")))
}

/// A small file, or standard input for `-`.
pub(super) fn read_text(path: &Path) -> Result<String, Failure> {
    let failed = Failure::path("read", path, "name a file of text, or - for standard input");
    if path == Path::new("-") {
        let mut text = String::new();
        return io::stdin().read_to_string(&mut text).map(|_| text).map_err(failed);
    }
    fs::read_to_string(path).map_err(failed)
}

/// The certificates of a log.
pub(super) fn chain(folder: &Path) -> Result<(Chain, String), Failure> {
    let path = folder.join("epochs");
    let text = fs::read_to_string(&path).map_err(Failure::path(
        "read",
        &path,
        "the log is not sealed: set `keys` in collector.toml",
    ))?;
    let chain = Chain::parse(&text).map_err(|(number, flaw)| {
        Failure::Refused(format!("{}: certificate {number}: {flaw}; see p11guard verify", path.display()))
    })?;
    Ok((chain, text))
}
