// SPDX-License-Identifier: Apache-2.0
//! `p11guard checkpoint`: the newest note of the log, to be kept where the host cannot reach it; or its key.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::evidence::{chain, log_folder};
use super::{Failure, print};

/// Print the newest note of the log, or its key
#[derive(Debug, Args)]
#[command(after_help = "\
Keep both elsewhere: the key once, a note from time to time. Nothing that a kept note covers can be changed or removed
unnoticed, whoever rules this host by then.

Examples:
  p11guard checkpoint --key > audit.key
  p11guard checkpoint | ssh vault 'cat >> notes'
  p11guard checkpoint --json | jq .size")]
pub(crate) struct Arguments {
    /// The log's folder [default: the collector's]
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The first key of the log, which vouches for all others
    #[arg(long)]
    key: bool,
    /// As JSON: origin, size, root, epoch, note, key
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = log_folder(arguments.folder.as_deref())?;
    let (chain, _) = chain(&folder)?;
    let first = chain.epochs().first().map(|epoch| epoch.certificate.key.to_string()).unwrap_or_default();
    if arguments.key && !arguments.json {
        return print(&format!("{first}\n")).map(|()| ExitCode::SUCCESS);
    }
    let path = folder.join("checkpoint");
    let note = fs::read_to_string(&path).map_err(Failure::path(
        "read",
        &path,
        "the log has no note yet: it is sealed each second while a collector runs",
    ))?;
    let (said, epoch) = chain
        .checkpoint(&note)
        .map_err(|flaw| Failure::Refused(format!("{}: {flaw}; see p11guard verify", path.display())))?;
    if arguments.json {
        let root: String = said.root.iter().map(|byte| format!("{byte:02x}")).collect();
        let number = epoch.certificate.number;
        let object = serde_json::json!({
            "origin": said.origin, "size": said.size, "root": root, "epoch": number, "note": note, "key": first,
        });
        print(&format!("{object}\n"))?;
    } else {
        print(&note)?;
    }
    Ok(ExitCode::SUCCESS)
}
