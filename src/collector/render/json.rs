// SPDX-License-Identifier: Apache-2.0
//! JSON on one line of printable ASCII, appended to bytes. Every other character stands as `\uXXXX`, so no text from
//! a token or a caller can break the line or steer what shows it.

use std::io::Write;

use serde_json::Value;

/// What has a form in JSON.
pub(super) trait Json {
    /// Appends it.
    fn json(&self, out: &mut Vec<u8>);
}

impl<T: Json + ?Sized> Json for &T {
    fn json(&self, out: &mut Vec<u8>) {
        (**self).json(out);
    }
}

impl Json for u64 {
    fn json(&self, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let (mut at, mut rest) = (digits.len(), *self);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[at..]);
    }
}

impl Json for u32 {
    fn json(&self, out: &mut Vec<u8>) {
        u64::from(*self).json(out);
    }
}

impl Json for bool {
    fn json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl Json for str {
    fn json(&self, out: &mut Vec<u8>) {
        let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
        out.push(b'"');
        // Most text is plain, which is seen of all its bytes at once.
        if self.bytes().fold(true, |all, byte| all & plain(byte)) {
            out.extend_from_slice(self.as_bytes());
        } else {
            self.chars().for_each(|character| escape(character, out));
        }
        out.push(b'"');
    }
}

fn escape(character: char, out: &mut Vec<u8>) {
    let letter = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        ' '..='~' => return out.extend(u8::try_from(character)),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to memory does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

impl<T: Json> Json for [T] {
    fn json(&self, out: &mut Vec<u8>) {
        List(self.iter()).json(out);
    }
}

/// What an iterator gives, as an array.
pub(super) struct List<I>(pub(super) I);

impl<I: Iterator<Item: Json> + Clone> Json for List<I> {
    fn json(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for element in self.0.clone() {
            element.json(out);
            out.push(b',');
        }
        close(out, b']');
    }
}

/// Appends an object of the members that `fill` puts into it.
pub(super) fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object(out));
    close(out, b'}');
}

/// Ends an array or object in place of the comma behind its last element.
fn close(out: &mut Vec<u8>, bracket: u8) {
    match out.last_mut() {
        Some(comma @ b',') => *comma = bracket,
        _ => out.push(bracket),
    }
}

/// An object being written.
pub(super) struct Object<'a>(&'a mut Vec<u8>);

impl Object<'_> {
    /// A member. Its name needs no escape.
    pub(super) fn put(&mut self, name: &str, value: impl Json) {
        self.beside(name, "", value);
    }

    /// A member named `name` and `suffix`.
    pub(super) fn beside(&mut self, name: &str, suffix: &str, value: impl Json) {
        let Object(out) = self;
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        out.extend_from_slice(b"\":");
        value.json(out);
        out.push(b',');
    }
}

impl Json for Value {
    fn json(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(value) => value.json(out),
            Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::String(text) => text.as_str().json(out),
            Value::Array(elements) => elements.as_slice().json(out),
            Value::Object(members) => {
                object(out, |o| members.iter().for_each(|(name, value)| o.put(name, value)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::escape::tests::HOSTILE;

    fn written(value: impl Json) -> String {
        let mut out = Vec::new();
        value.json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_printable_ascii_that_reads_back_the_same() {
        let out = written(HOSTILE);
        assert!(out.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{out}");
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), HOSTILE);
    }

    #[test]
    fn values_are_written_as_serde_writes_them() {
        let value = serde_json::json!({
            "none": null, "yes": true, "no": false, "empty": [{}, [], ""], "numbers": [0, 9, 10, u64::MAX, -1, 0.5],
            "text": "\u{8}\u{c}\n\r\t\"\\/ \u{0}\u{1f}", "nested": {"a": [1, {"b": "c"}]},
        });
        assert_eq!(written(&value), value.to_string());
    }
}
