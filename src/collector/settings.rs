// SPDX-License-Identifier: Apache-2.0
//! What the collector is told: where its sockets, log and spool are, and what it grants to each user.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::settings::Mistake;
use serde::Deserialize;
use toml::Spanned;

use crate::error::Error;
use crate::levels::{Class, KeyLevel, Level, Levels};

const SPOOL_MIB: u32 = 1024;
const KEYS: &str = "/var/lib/p11guard/keys";
const EPOCH_MINUTES: u32 = 60;
const HELP: &str = "config/collector.toml documents every key";

/// What the collector is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Socket that the shims connect to.
    pub attach: PathBuf,
    /// Group that may connect to it, by name or number; everybody where there is none.
    pub attach_group: Option<String>,
    /// Socket that the readers connect to.
    pub readers: PathBuf,
    /// Group that may read besides the collector's own user, by name or number.
    pub readers_group: Option<String>,
    /// Most readers at a time.
    pub readers_limit: u32,
    /// Folder of the evidence log.
    pub log: PathBuf,
    /// Folder in which shims keep their rings while there is no collector; none is scanned where it is absent.
    pub spool: Option<PathBuf>,
    /// Folder of the policies: what is replaced in it is announced to the applications.
    pub policies: PathBuf,
    /// Whether a second process keeps the rings over a death of this one.
    pub keeper: bool,
    /// Folder of the keys that sign the log, for the signer that the collector starts; the log is not sealed where
    /// there is neither this nor `signer`.
    pub keys: Option<PathBuf>,
    /// Socket of a signer that runs by itself, under another user; none is started then.
    pub signer: Option<PathBuf>,
    /// How long a key signs, for the signer that the collector starts.
    pub epoch: Duration,
    /// The program that helpers are started from; this one where there is none.
    pub program: Option<PathBuf>,
    /// Most connections of one user to the attach socket.
    pub connections_per_uid: u32,
    /// Most streams of one user, its spooled ones included.
    pub streams_per_uid: u32,
    /// Most bytes of spool files taken from one user at a time.
    pub spool_bytes_per_uid: u64,
    /// How closely calls are recorded.
    pub record: Levels,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            attach: "/run/p11guard/attach.sock".into(),
            attach_group: None,
            readers: "/run/p11guard/events.sock".into(),
            readers_group: None,
            readers_limit: 64,
            log: "/var/log/p11guard".into(),
            spool: Some(::settings::SPOOL.into()),
            policies: "/etc/p11guard".into(),
            keeper: true,
            keys: Some(KEYS.into()),
            signer: None,
            epoch: Duration::from_secs(60 * u64::from(EPOCH_MINUTES)),
            program: None,
            connections_per_uid: 256,
            streams_per_uid: 1024,
            spool_bytes_per_uid: u64::from(SPOOL_MIB) << 20,
            record: Levels::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    attach: Option<Spanned<String>>,
    attach_group: Option<String>,
    readers: Option<Spanned<String>>,
    readers_group: Option<String>,
    readers_limit: Option<Spanned<u32>>,
    log: Option<Spanned<String>>,
    spool: Option<Spanned<String>>,
    policies: Option<Spanned<String>>,
    keeper: Option<bool>,
    keys: Option<Spanned<String>>,
    signer: Option<Spanned<String>>,
    epoch_minutes: Option<Spanned<u32>>,
    connections_per_uid: Option<Spanned<u32>>,
    streams_per_uid: Option<Spanned<u32>>,
    spool_mib_per_uid: Option<Spanned<u32>>,
    #[serde(default)]
    record: Record,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    data: Option<Level>,
    keys: Option<Level>,
    objects: Option<Level>,
    sessions: Option<Level>,
    login: Option<Level>,
    administration: Option<Level>,
    queries: Option<Level>,
    #[serde(default)]
    key: Vec<Spanned<OwnLevel>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnLevel {
    label: Option<String>,
    id: Option<String>,
    level: Level,
}

impl Settings {
    /// Everything in one private folder, every call an event, without keeper, spool and seal: for one command and its
    /// collector.
    pub fn private(folder: &Path) -> Settings {
        Settings {
            attach: folder.join("attach.sock"),
            readers: folder.join("events.sock"),
            log: folder.join("log"),
            spool: None,
            keeper: false,
            record: Levels::CALLS,
            keys: None,
            ..Settings::default()
        }
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`Error::Path`] where it cannot be read, [`Error::Settings`] with the first mistake and its place.
    pub fn read(path: &Path) -> Result<Settings, Error> {
        let bytes = fs::read(path).map_err(Error::path("read", path, "name the file with --config"))?;
        Settings::parse(&path.to_string_lossy(), &bytes).map_err(Error::Settings)
    }

    /// Reads a configuration; `path` is only what messages call it.
    ///
    /// # Errors
    /// The first mistake, with its place and what to write instead.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Settings, Mistake> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let end = good.len();
            Mistake::new(path, &good, end..end, "a byte that is not UTF-8", "save the file as UTF-8")
        })?;
        let file: File = toml::from_str(text).map_err(|error| Mistake::of_toml(path, text, &error, HELP))?;
        let reader = Reader { path, text };
        let default = Settings::default();
        let spool = match &file.spool {
            Some(spool) if spool.get_ref().is_empty() => None,
            given => Some(reader.absolute(given.as_ref(), "spool", ::settings::SPOOL.into())?),
        };
        let keys = match &file.keys {
            Some(keys) if keys.get_ref().is_empty() => None,
            given => Some(reader.absolute(given.as_ref(), "keys", KEYS.into())?),
        };
        let signer = match &file.signer {
            None => None,
            given => Some(reader.absolute(given.as_ref(), "signer", PathBuf::new())?),
        };
        let minutes = reader.number(file.epoch_minutes.as_ref(), "epoch_minutes", EPOCH_MINUTES)?;
        let mib = reader.number(file.spool_mib_per_uid.as_ref(), "spool_mib_per_uid", SPOOL_MIB)?;
        Ok(Settings {
            attach: reader.absolute(file.attach.as_ref(), "attach", default.attach)?,
            attach_group: file.attach_group,
            readers: reader.absolute(file.readers.as_ref(), "readers", default.readers)?,
            readers_group: file.readers_group,
            readers_limit: reader.number(
                file.readers_limit.as_ref(),
                "readers_limit",
                default.readers_limit,
            )?,
            log: reader.absolute(file.log.as_ref(), "log", default.log)?,
            spool,
            policies: reader.absolute(file.policies.as_ref(), "policies", default.policies)?,
            keeper: file.keeper.unwrap_or(default.keeper),
            keys,
            signer,
            epoch: Duration::from_secs(60 * u64::from(minutes)),
            program: None,
            connections_per_uid: reader.number(
                file.connections_per_uid.as_ref(),
                "connections_per_uid",
                default.connections_per_uid,
            )?,
            streams_per_uid: reader.number(
                file.streams_per_uid.as_ref(),
                "streams_per_uid",
                default.streams_per_uid,
            )?,
            spool_bytes_per_uid: u64::from(mib) << 20,
            record: reader.levels(file.record)?,
        })
    }
}

struct Reader<'t> {
    path: &'t str,
    text: &'t str,
}

impl Reader<'_> {
    /// A daemon's working directory is `/`, hence absolute paths only.
    fn absolute(
        &self,
        at: Option<&Spanned<String>>,
        key: &str,
        default: PathBuf,
    ) -> Result<PathBuf, Mistake> {
        let Some(at) = at else { return Ok(default) };
        let path = PathBuf::from(at.get_ref());
        if at.get_ref().contains('\0') || !path.is_absolute() {
            let help = format!("write the whole path, such as {default:?}");
            let what = format!("`{key}` is not an absolute path");
            return Err(Mistake::new(self.path, self.text, at.span(), &what, &help));
        }
        Ok(path)
    }

    fn levels(&self, record: Record) -> Result<Levels, Mistake> {
        let Record { data, keys, objects, sessions, login, administration, queries, key } = record;
        let mut levels = Levels::default();
        for (class, level) in [
            (Class::Data, data),
            (Class::Keys, keys),
            (Class::Objects, objects),
            (Class::Sessions, sessions),
            (Class::Login, login),
            (Class::Administration, administration),
            (Class::Queries, queries),
        ] {
            let place = &mut levels.classes[class as usize];
            *place = level.unwrap_or(*place);
        }
        for own in key {
            let span = own.span();
            let OwnLevel { label, id, level } = own.into_inner();
            let mistake =
                |what: &str, help: &str| Mistake::new(self.path, self.text, span.clone(), what, help);
            if label.is_none() && id.is_none() {
                return Err(mistake(
                    "this names no key",
                    "say which: { label = \"tls-*\", level = \"calls\" }",
                ));
            }
            let id = id.map(|id| id.to_ascii_lowercase());
            let digit = |c: char| c.is_ascii_hexdigit() || c == '*' || c == '?';
            if id.as_ref().is_some_and(|id| !id.chars().all(digit)) {
                let help = "write the CKA_ID in hexadecimal digits, with * for any of them: id = \"01*\"";
                return Err(mistake("this `id` is not hexadecimal", help));
            }
            levels.keys.push(KeyLevel { label, id, level });
        }
        Ok(levels)
    }

    fn number(&self, at: Option<&Spanned<u32>>, key: &str, default: u32) -> Result<u32, Mistake> {
        let Some(at) = at else { return Ok(default) };
        if !(1..=1_000_000).contains(at.get_ref()) {
            let help = format!("{default} suits most hosts");
            let what = format!("`{key}` is not between 1 and 1000000");
            return Err(Mistake::new(self.path, self.text, at.span(), &what, &help));
        }
        Ok(*at.get_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_configuration_has_the_documented_defaults() {
        assert_eq!(Settings::parse("c", b"").unwrap(), Settings::default());
    }

    #[test]
    fn the_documented_configuration_says_the_defaults() {
        let shipped = include_str!("../../config/collector.toml");
        assert_eq!(
            Settings::parse("config/collector.toml", shipped.as_bytes()).unwrap(),
            Settings::default()
        );
        // Every key stands there, so that switching one on means removing a "# " and nothing else.
        let all: String = shipped
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|l| l.contains(" = ")).unwrap_or(line))
            .map(|l| format!("{l}\n"))
            .collect();
        let settings = Settings::parse("config/collector.toml", all.as_bytes()).unwrap();
        assert!(
            settings.attach_group.is_some() && settings.readers_group.is_some() && settings.signer.is_some()
        );
        assert_eq!(settings.record.keys.len(), 2);
    }

    #[test]
    fn every_mistake_has_a_place_and_a_remedy() {
        for (line, place, what) in [
            ("atach = \"/x\"", "c:1:1:", "atach"),
            ("attach = \"run/x.sock\"", "c:1:10:", "absolute"),
            ("readers_limit = 0", "c:1:17:", "readers_limit"),
            ("keeper = \"no\"", "c:1:10:", "invalid type"),
            ("log = 5", "c:1:7:", "invalid type"),
            ("\nx = [", "c:2:", ""),
            ("record.data = \"all\"", "c:1:15:", "all"),
            ("record.calls = \"calls\"", "c:1:8:", "calls"),
            ("record.key = [{ level = \"calls\" }]", "c:1:15:", "names no key"),
            ("record.key = [{ id = \"0x\", level = \"calls\" }]", "c:1:15:", "hexadecimal"),
        ] {
            let error = Settings::parse("c", line.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(place) && error.contains(what), "{error}");
            assert!(error.contains('^') && error.contains("help: "), "{error}");
        }
        assert!(Settings::parse("c", b"log = \"\xff\"").unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn an_empty_spool_means_none() {
        assert_eq!(Settings::parse("c", b"spool = \"\"").unwrap().spool, None);
    }
}
