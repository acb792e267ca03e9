// SPDX-License-Identifier: Apache-2.0
//! What a shim configuration says.

use serde::Deserialize;
use std::path::PathBuf;
use toml::Spanned;

use crate::Mistake;

/// What to do with a call that our own code could not judge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFault {
    /// Forward it, marked as degraded.
    Allow,
    /// Refuse it with `CKR_FUNCTION_FAILED`.
    #[default]
    Deny,
}

/// What to do with interfaces that are not "PKCS 11": their functions are the vendor's own and go around the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VendorInterfaces {
    /// The application does not see them.
    #[default]
    Hide,
    /// The application gets them as they are, not judged and not recorded.
    Pass,
}

/// The ring of each process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// Lanes: threads past this number share one.
    pub lanes: u32,
    /// Size of a lane, bytes; a power of two.
    pub lane_bytes: u32,
}

impl Default for Ring {
    fn default() -> Ring {
        Ring { lanes: 16, lane_bytes: 512 << 10 }
    }
}

/// A shim configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shim {
    /// The vendor's module, absolute.
    pub module: PathBuf,
    /// The policy, absolute.
    pub policy: PathBuf,
    /// The minisign public key that policies must be signed with; unsigned ones count where there is none.
    pub policy_key: Option<String>,
    /// The collector's attach socket, absolute.
    pub socket: PathBuf,
    /// Where rings are kept while there is no collector.
    pub spool: Option<PathBuf>,
    /// The ring of each process.
    pub ring: Ring,
    /// What to do with vendor-defined interfaces.
    pub vendor_interfaces: VendorInterfaces,
    /// What to do with a call that our own code could not judge.
    pub on_fault: OnFault,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    module: Spanned<String>,
    policy: Spanned<String>,
    policy_key: Option<String>,
    socket: Option<Spanned<String>>,
    spool: Option<Spanned<String>>,
    #[serde(default)]
    ring: RingSection,
    #[serde(default)]
    vendor_interfaces: VendorInterfaces,
    #[serde(default)]
    on_fault: OnFault,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RingSection {
    lanes: Option<Spanned<u32>>,
    lane_size: Option<Spanned<String>>,
}

/// Where the collector listens unless it is told otherwise.
const SOCKET: &str = "/run/p11guard/attach.sock";
const HELP: &str = "config/shim.toml documents every key";
const MOST_BYTES: usize = 64 << 10;

impl Shim {
    /// Reads a configuration; `path` is only what messages call it.
    ///
    /// # Errors
    /// The first mistake, with its place and what to write instead.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Shim, Mistake> {
        if bytes.len() > MOST_BYTES {
            return Err(Mistake::of_file(path, "the file is longer than 64 KiB", HELP));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let end = good.len();
            Mistake::new(path, &good, end..end, "a byte that is not UTF-8", "save the file as UTF-8")
        })?;
        let file: File = toml::from_str(text).map_err(|error| Mistake::of_toml(path, text, &error, HELP))?;
        let reader = Reader { path, text };
        Ok(Shim {
            module: reader.absolute(&file.module, "module", "/usr/lib/softhsm/libsofthsm2.so")?,
            policy: reader.absolute(&file.policy, "policy", "/etc/p11guard/policy.toml")?,
            policy_key: file.policy_key,
            socket: match &file.socket {
                Some(socket) => reader.absolute(socket, "socket", SOCKET)?,
                None => PathBuf::from(SOCKET),
            },
            spool: file
                .spool
                .as_ref()
                .map(|spool| reader.absolute(spool, "spool", crate::SPOOL))
                .transpose()?,
            ring: reader.ring(&file.ring)?,
            vendor_interfaces: file.vendor_interfaces,
            on_fault: file.on_fault,
        })
    }
}

struct Reader<'t> {
    path: &'t str,
    text: &'t str,
}

impl Reader<'_> {
    fn mistake<T>(&self, at: &Spanned<T>, what: &str, help: &str) -> Mistake {
        Mistake::new(self.path, self.text, at.span(), what, help)
    }

    /// The working directory of an application is not ours to depend on, hence absolute paths only.
    fn absolute(&self, at: &Spanned<String>, key: &str, example: &str) -> Result<PathBuf, Mistake> {
        let path = PathBuf::from(at.get_ref());
        if at.get_ref().contains('\0') || !path.is_absolute() {
            let what = format!("`{key}` is not an absolute path");
            return Err(self.mistake(at, &what, &format!("write the whole path, such as \"{example}\"")));
        }
        Ok(path)
    }

    fn ring(&self, section: &RingSection) -> Result<Ring, Mistake> {
        let mut ring = Ring::default();
        if let Some(lanes) = &section.lanes {
            ring.lanes = *lanes.get_ref();
            if !(1..=64).contains(&ring.lanes) {
                return Err(self.mistake(
                    lanes,
                    "`lanes` is not between 1 and 64",
                    "16 suits most applications",
                ));
            }
        }
        if let Some(size) = &section.lane_size {
            ring.lane_bytes = size_in_bytes(size.get_ref()).ok_or_else(|| {
                let help = "write a power of two from \"64KiB\" to \"16MiB\", such as \"512KiB\"";
                self.mistake(size, "`lane_size` is not a size that a lane can have", help)
            })?;
        }
        Ok(ring)
    }
}

fn size_in_bytes(text: &str) -> Option<u32> {
    let (number, unit) = match text.strip_suffix("KiB") {
        Some(number) => (number, 1 << 10),
        None => (text.strip_suffix("MiB")?, 1 << 20),
    };
    let bytes = number.trim().parse::<u32>().ok()?.checked_mul(unit)?;
    (bytes.is_power_of_two() && (64 << 10..=16 << 20).contains(&bytes)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "module = \"/m.so\"\npolicy = \"/p.toml\"\n";

    #[test]
    fn a_short_configuration_has_the_documented_defaults() {
        let shim = Shim::parse("c", GOOD.as_bytes()).unwrap();
        assert_eq!(shim.socket, PathBuf::from("/run/p11guard/attach.sock"));
        assert_eq!((shim.spool, shim.ring, shim.on_fault), (None, Ring::default(), OnFault::Deny));
        assert_eq!(shim.vendor_interfaces, VendorInterfaces::Hide);
    }

    #[test]
    fn every_mistake_has_a_place_and_a_remedy() {
        for (line, place, what) in [
            ("modul = \"/x\"", "c:3:1:", "modul"),
            ("socket = \"run/x.sock\"", "c:3:10:", "absolute"),
            ("[ring]\nlanes = 65", "c:4:9:", "64"),
            ("[ring]\nlane_size = \"500KiB\"", "c:4:13:", "lane_size"),
            ("vendor_interfaces = \"show\"", "c:3:21:", "show"),
            ("on_fault = \"alow\"", "c:3:12:", "alow"),
            ("spool = 5", "c:3:9:", "invalid type"),
            ("x = [", "c:3:", ""),
        ] {
            let error = Shim::parse("c", format!("{GOOD}{line}\n").as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(place) && error.contains(what), "{error}");
            assert!(error.contains("^") && error.contains("help: "), "{error}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_a_mistake() {
        assert!(Shim::parse("c", b"module = \"\xff\"").unwrap_err().to_string().contains("UTF-8"));
        assert!(Shim::parse("c", &vec![b'#'; 1 << 20]).unwrap_err().to_string().contains("64 KiB"));
        assert!(Shim::parse("c", b"").is_err());
    }

    #[test]
    fn the_documented_configuration_is_a_configuration() {
        let shipped = include_str!("../../config/shim.toml");
        assert_eq!(Shim::parse("config/shim.toml", shipped.as_bytes()).unwrap().ring, Ring::default());
    }
}
