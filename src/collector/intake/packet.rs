// SPDX-License-Identifier: Apache-2.0
//! Local sockets: whole messages with at most one descriptor each, and listening where nobody else does.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt, chown};
use std::path::Path;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, recvmsg, sendmsg, socket_with,
};

use crate::error::Error;

/// A message as it came in.
#[derive(Debug)]
pub(crate) struct Packet {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Its descriptors, already close-on-exec.
    pub(crate) files: Vec<OwnedFd>,
    /// The process that sent it, by the kernel's word, where the socket asks for it.
    pub(crate) sender: Option<u32>,
    /// Bytes or descriptors did not fit and were thrown away by the kernel.
    pub(crate) cut: bool,
}

/// Receives one message of at most `limit` bytes and two descriptors. No bytes and no descriptors: the peer is gone.
pub(crate) fn receive(socket: BorrowedFd<'_>, limit: usize, flags: RecvFlags) -> io::Result<Packet> {
    let mut bytes = vec![0; limit];
    // Room for two, so that one too many is seen; what does not fit is never installed here.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2), ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = flags | RecvFlags::CMSG_CLOEXEC;
    let received = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?,
        }
    };
    bytes.truncate(received.bytes);
    let cut = received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC);
    let mut packet = Packet { bytes, files: Vec::new(), sender: None, cut };
    for message in control.drain() {
        match message {
            RecvAncillaryMessage::ScmRights(files) => packet.files.extend(files),
            RecvAncillaryMessage::ScmCredentials(sender) => {
                packet.sender = u32::try_from(sender.pid.as_raw_pid()).ok();
            }
            _ => {}
        }
    }
    Ok(packet)
}

/// Sends one message.
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[&[u8]], file: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let parts: Vec<_> = bytes.iter().map(|part| IoSlice::new(part)).collect();
    let files: Vec<_> = file.into_iter().collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&files));
    }
    loop {
        match sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other.map(|_| ())?),
        }
    }
}

/// Connects to the socket at `path`, without waiting for room in its backlog.
pub(crate) fn connect(path: &Path, kind: SocketType) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    rustix::io::ioctl_fionbio(&socket, false)?;
    Ok(socket)
}

/// Who is at the other end of a connection, as the kernel noted when it was made: pid, uid, gid.
pub(crate) fn peer(socket: BorrowedFd<'_>) -> io::Result<(u32, u32, u32)> {
    let peer = rustix::net::sockopt::socket_peercred(socket)?;
    let pid = u32::try_from(peer.pid.as_raw_pid()).unwrap_or(0);
    Ok((pid, peer.uid.as_raw(), peer.gid.as_raw()))
}

/// Listens at `path` without blocking, its folder made if need be. A socket that nobody answers at is replaced.
///
/// # Errors
/// [`Error::Running`] where somebody answers, [`Error::InTheWay`] where something else lies there.
pub(crate) fn listen(path: &Path, kind: SocketType, mode: u32, group: Option<u32>) -> Result<OwnedFd, Error> {
    let remedy = "choose a folder that the collector's user may write in";
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .map_err(Error::path("make", folder, remedy))?;
    match fs::symlink_metadata(path) {
        Ok(status) if !status.file_type().is_socket() => return Err(Error::InTheWay(path.into())),
        Ok(_) => match connect(path, kind) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(Error::path("replace the stale socket", path, remedy))?;
            }
            // Answered, or busy, or of another kind: somebody is there.
            _ => return Err(Error::Running(path.into())),
        },
        Err(_) => {}
    }
    let bound = || -> io::Result<OwnedFd> {
        let socket =
            socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
        // Nobody gets in before it listens, so the umask leaves no window.
        if group.is_some() {
            chown(path, None, group)?;
        }
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        rustix::net::listen(&socket, 1024)?;
        Ok(socket)
    };
    bound().map_err(Error::path("listen at", path, remedy))
}

/// The number of a group given by name or number. Reads /etc/group: groups of other sources go by number.
pub(crate) fn group(name: Option<&str>) -> Result<Option<u32>, Error> {
    let Some(name) = name else { return Ok(None) };
    if let Ok(number) = name.parse() {
        return Ok(Some(number));
    }
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let entry = |line: &str| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    };
    groups.lines().find_map(entry).map(Some).ok_or_else(|| Error::Group(name.into()))
}

/// Whether something came, or the other end hung up, within `patience`; nothing at all counts as no.
pub(crate) fn ready(file: impl AsFd, patience: std::time::Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut watched = [PollFd::new(&file, PollFlags::IN)];
    let patience = Timespec::try_from(patience).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
    poll(&mut watched, Some(&patience)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_taken_over_only_from_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/attach.sock");
        let first = listen(&path, SocketType::SEQPACKET, 0o666, None).unwrap();
        assert!(matches!(listen(&path, SocketType::SEQPACKET, 0o666, None), Err(Error::Running(_))));
        assert!(matches!(listen(&path, SocketType::STREAM, 0o666, None), Err(Error::Running(_))));
        drop(first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
        listen(&path, SocketType::SEQPACKET, 0o666, None).unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(listen(&file, SocketType::STREAM, 0o666, None), Err(Error::InTheWay(_))));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(listen(&link, SocketType::STREAM, 0o666, None), Err(Error::InTheWay(_))));
    }

    #[test]
    fn a_group_goes_by_name_or_number() {
        assert_eq!(group(Some("root")).unwrap(), Some(0));
        assert_eq!((group(Some("12")).unwrap(), group(None).unwrap()), (Some(12), None));
        assert!(group(Some("no such group")).unwrap_err().to_string().contains("groupadd"));
    }

    #[test]
    fn more_descriptors_than_one_are_seen_and_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = listen(&path, SocketType::SEQPACKET, 0o600, None).unwrap();
        let client = connect(&path, SocketType::SEQPACKET).unwrap();
        let server = rustix::net::accept(&listener).unwrap();
        send(client.as_fd(), &[b"one", b"more"], Some(client.as_fd())).unwrap();
        let packet = receive(server.as_fd(), 16, RecvFlags::empty()).unwrap();
        assert_eq!((packet.bytes.as_slice(), packet.files.len(), packet.cut), (&b"onemore"[..], 1, false));
        drop(packet);
        let many = [client.as_fd(); 9];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(9))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&many));
        sendmsg(&client, &[IoSlice::new(b"0123456789")], &mut control, SendFlags::NOSIGNAL).unwrap();
        let packet = receive(server.as_fd(), 4, RecvFlags::empty()).unwrap();
        assert!(packet.cut && packet.files.len() > 1 && packet.bytes == b"0123");
        // Among them is the client itself.
        drop((client, packet));
        let end = receive(server.as_fd(), 4, RecvFlags::empty()).unwrap();
        assert!(end.bytes.is_empty() && end.files.is_empty());
    }
}
