// SPDX-License-Identifier: Apache-2.0
//! `p11guard man`: the manual pages, made from the same words as `--help`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};

use super::{Failure, print};
use crate::cli::Cli;

/// Print the manual page, or write one for each verb into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  p11guard man | man -l -\n  p11guard man /usr/local/share/man/man1")]
pub(crate) struct Arguments {
    /// Folder for p11guard.1 and one page for each verb
    folder: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Some(folder) = &arguments.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .map_err(Failure::system("make the manual page"))?;
        print(&String::from_utf8_lossy(&page))?;
        return Ok(ExitCode::SUCCESS);
    };
    let remedy = "make the folder first, and be allowed to write into it";
    clap_mangen::generate_to(Cli::command(), folder).map_err(Failure::path("write into", folder, remedy))?;
    Ok(ExitCode::SUCCESS)
}
