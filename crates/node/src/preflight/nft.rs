//! Whether the kernel has nf_tables: it is asked for the generation of its rule set, which needs no rule.

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use std::os::fd::AsRawFd as _;

/// From linux/netfilter/nfnetlink.h and nf_tables.h.
const SUBSYSTEM_NFTABLES: u16 = 10;
const GET_GENERATION: u16 = 16;
/// From linux/netlink.h.
const REQUEST: u16 = 1;
const ERROR: u16 = 2;

pub(super) fn is_there() -> bool {
    ask().unwrap_or(false)
}

fn ask() -> nix::Result<bool> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkNetFilter,
    )?;
    let mut message = Vec::with_capacity(20);
    message.extend_from_slice(&20_u32.to_ne_bytes());
    message.extend_from_slice(&((SUBSYSTEM_NFTABLES << 8) | GET_GENERATION).to_ne_bytes());
    message.extend_from_slice(&REQUEST.to_ne_bytes());
    // Sequence, sender (the kernel fills it in), then family, version and resource: all of them.
    message.extend_from_slice(&1_u32.to_ne_bytes());
    message.extend_from_slice(&0_u32.to_ne_bytes());
    message.extend_from_slice(&[0; 4]);
    sendto(socket.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0_u8; 1024];
    // The kernel answers before sendto returns: nothing to wait for means no answer.
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT)?;
    Ok(length >= 16 && u16::from_ne_bytes([answer[4], answer[5]]) != ERROR)
}
