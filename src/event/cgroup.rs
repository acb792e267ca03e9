// SPDX-License-Identifier: Apache-2.0
//! What the path of a control group says of a process: its systemd unit and its container.

/// The path of the unified hierarchy in the text of `/proc/<pid>/cgroup`.
pub fn unified(text: &[u8]) -> Option<&[u8]> {
    text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"0::"))
}

/// The innermost systemd unit that a control group path names.
pub fn unit(path: &[u8]) -> Option<&str> {
    let is_unit =
        |part: &&str| [".service", ".scope", ".socket", ".mount"].iter().any(|kind| part.ends_with(kind));
    std::str::from_utf8(path).ok()?.rsplit('/').find(is_unit)
}

/// The container id that a control group path names: 64 hexadecimal digits, however its runtime wraps them.
pub fn container(path: &[u8]) -> Option<&str> {
    let words = std::str::from_utf8(path).ok()?.rsplit(|c: char| !c.is_ascii_alphanumeric());
    let is_id =
        |word: &&str| word.len() == 64 && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    words.into_iter().find(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_and_container_are_read_from_the_control_group() {
        let id = "0123456789abcdef".repeat(4);
        for (path, unit_name, container_id) in [
            ("/system.slice/nginx.service", Some("nginx.service"), None),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/run-5.scope",
                Some("run-5.scope"),
                None,
            ),
            (&format!("/system.slice/docker-{id}.scope") as &str, None, Some(&*id)),
            (&format!("/docker/{id}"), None, Some(&id)),
            (&format!("/kubepods/burstable/pod1/cri-containerd-{id}.scope/inner"), None, Some(&id)),
            ("/", None, None),
        ] {
            if container_id.is_none() {
                assert_eq!(unit(path.as_bytes()), unit_name, "{path}");
            }
            assert_eq!(container(path.as_bytes()), container_id, "{path}");
        }
        assert_eq!(unified(b"12:pids:/x\n0::/a b\n"), Some(&b"/a b"[..]));
    }
}
