//! Sockets. The answer of another process or machine cannot be a fact.

use super::{Made, Named};
use crate::facts::Class;
use crate::linux::recorder::{Recorder, Weight, display};
use crate::linux::tracee::{Target, Unread};
use crate::linux::tree::Found;
use crate::linux::walk::{End, join};
use crate::linux::write::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The size of the longest socket address with a path.
const ADDRESS: usize = 128;
/// The size of a message header.
const HEADER: usize = 56;
/// The size of a header in an array of messages.
const HEADERS: u64 = 64;

/// The target of a socket address.
enum Address {
    /// A socket in the file system.
    Path(Vec<u8>),
    /// A socket in the abstract namespace.
    Abstract,
    /// Another machine.
    Network(SocketAddr),
    /// Anything else.
    Other,
}

impl Recorder {
    /// Notes that a socket is created, unless it is a Unix socket.
    pub(super) fn socket(&mut self, made: &Made) {
        if !self.settings.allow_network && made.number(0) != libc::AF_UNIX {
            self.refuse_of(made.tracee, Weight::Prepared, "a socket to the network");
        }
    }

    /// Notes a connection to an address.
    pub(super) fn connect(&mut self, made: &Made, at: usize) -> Result<(), Unread> {
        let (address, len) = (made.arguments[at], made.arguments[at + 1]);
        self.reach(made, address, len)
    }

    fn reach(&mut self, made: &Made, address: u64, len: u64) -> Result<(), Unread> {
        match read_address(made, address, len)? {
            Address::Path(path) => self.reach_path(made, path),
            Address::Abstract => {
                self.refuse_of(made.tracee, Weight::Done, "connect to another process");
            }
            Address::Network(address) if !self.settings.allow_network => {
                let what = format_args!("connect to {address}");
                self.refuse_of(made.tracee, Weight::Done, what);
            }
            Address::Network(_) | Address::Other => {}
        }
        Ok(())
    }

    fn reach_path(&mut self, made: &Made, path: Vec<u8>) {
        let Some(named) = relative(made, path) else { return };
        if let End::At(spot) = self.find(made, &named, true).end
            && !spot.is_own
            && spot.found != Found::Nothing
        {
            self.note(spot.id, Class::Access);
            let path = display(self.tree[spot.id].path.to_bytes());
            self.refuse_of(made.tracee, Weight::Done, format_args!("connect to {path}"));
        }
    }

    /// Notes that a socket is bound to an address.
    pub(super) fn bind(&mut self, made: &Made) -> Result<(), Unread> {
        let Address::Path(path) = read_address(made, made.arguments[1], made.arguments[2])? else {
            return Ok(());
        };
        let Some(named) = relative(made, path) else { return Ok(()) };
        if let End::At(spot) = self.find(made, &named, false).end {
            self.write(spot, Write::Create { is_exclusive: true });
        }
        Ok(())
    }

    /// Notes that a message is sent, perhaps to an address.
    pub(super) fn send_message(&mut self, made: &Made, header: u64) -> Result<(), Unread> {
        let mut text = [0; HEADER];
        made.tracee.read(header, &mut text)?;
        let (words, _) = text.as_chunks::<8>();
        let [address, len] = [0, 1].map(|at| u64::from_le_bytes(words[at]));
        if address == 0 { Ok(()) } else { self.reach(made, address, len & u64::from(u32::MAX)) }
    }

    /// Notes that several messages are sent.
    pub(super) fn send_messages(&mut self, made: &Made) -> Result<(), Unread> {
        let count = u64::from(made.arguments[2] as u32).min(1024);
        (0..count).try_for_each(|at| self.send_message(made, made.arguments[1] + at * HEADERS))
    }
}

fn read_address(made: &Made, address: u64, len: u64) -> Result<Address, Unread> {
    let mut text = [0; ADDRESS];
    let len = (len as usize).min(ADDRESS);
    if address == 0 || len < 2 {
        return Ok(Address::Other);
    }
    made.tracee.read(address, &mut text[..len])?;
    Ok(address_of(&text[..len]))
}

fn address_of(text: &[u8]) -> Address {
    let (family, rest) = text.split_at(2);
    let port = || u16::from_be_bytes([rest[0], rest[1]]);
    match i32::from(u16::from_le_bytes([family[0], family[1]])) {
        // The kernel binds a socket without a name, to a unique name.
        libc::AF_UNIX => match rest.iter().position(|&byte| byte == 0) {
            Some(0) => Address::Abstract,
            end if !rest.is_empty() => Address::Path(rest[..end.unwrap_or(rest.len())].to_vec()),
            _ => Address::Other,
        },
        libc::AF_INET if rest.len() >= 6 => {
            let ip = Ipv4Addr::new(rest[2], rest[3], rest[4], rest[5]);
            Address::Network(SocketAddr::new(IpAddr::V4(ip), port()))
        }
        libc::AF_INET6 if rest.len() >= 22 => {
            let ip: [u8; 16] = rest[6..22].try_into().unwrap_or_default();
            Address::Network(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(ip)), port()))
        }
        _ => Address::Other,
    }
}

fn relative(made: &Made, path: Vec<u8>) -> Option<Named> {
    if path.starts_with(b"/") {
        return Some(Named { from: Vec::new(), path });
    }
    match made.tracee.working_directory() {
        Ok(Target::Path(from)) => Some(Named { path: join(&from, &path), from: Vec::new() }),
        _ => None,
    }
}
