// SPDX-License-Identifier: Apache-2.0
//! scripts/verify.py, asked for its verdict on one changed log after the other without being started each time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Change;
use super::sample::Sample;

/// Reads the log and then changes, one JSON object a line: names with contents in hexadecimal, or null.
const DRIVER: &str = r#"
import json, sys
sys.path.insert(0, sys.argv[1])
import verify
unhex = lambda change: {name: None if text is None else bytes.fromhex(text) for name, text in change.items()}
log = unhex(json.loads(sys.stdin.readline()))
for line in sys.stdin:
    files = {name: data for name, data in {**log, **unhex(json.loads(line))}.items() if data is not None}
    segments = sorted(name[7:] for name in files if name.startswith("events/"))
    found, size, unsealed = verify.verify(files.get, segments, sys.argv[2], sys.argv[3] or None)
    print(len(found), flush=True)
"#;

pub(super) struct Second {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Second {
    pub(super) fn start(sample: &Sample, since: Option<&str>) -> Second {
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts");
        let mut command = Command::new("python3");
        command
            .args(["-B", "-c", DRIVER, scripts])
            .arg(sample.key.to_string())
            .arg(since.unwrap_or_default());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 is installed");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let mut second = Second { child, input, output: BufReader::new(output) };
        let all: Change =
            sample.files.iter().map(|(name, content)| (name.clone(), Some(content.clone()))).collect();
        second.say(&all);
        second
    }

    /// Whether it finds damage.
    pub(super) fn refuses(&mut self, change: &Change) -> bool {
        self.say(change);
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        line.trim().parse::<u64>().unwrap_or_else(|_| panic!("no verdict: {line:?}")) > 0
    }

    fn say(&mut self, change: &Change) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let hex = |bytes: &Vec<u8>| -> String {
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
        };
        let object: serde_json::Map<_, _> =
            change.iter().map(|(name, content)| (name.clone(), content.as_ref().map(hex).into())).collect();
        let line = serde_json::Value::Object(object).to_string() + "\n";
        self.input.as_mut().expect("it is running").write_all(line.as_bytes()).expect("it listens");
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
