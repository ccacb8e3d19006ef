//! A wire in front of a server, which a test makes slow, cuts or listens at.

use super::{Remote, Served, contains};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A remote store that is reached through a wire. It outlives its server's death
/// and return, and counts who comes while there is none.
pub struct Proxy {
    address: SocketAddr,
    url: String,
    variables: Vec<(&'static str, String)>,
    wire: Arc<Wire>,
}

/// What the wire does and what went through it, and a bell for when what it does
/// changes.
#[derive(Default)]
struct Wire {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    delay: [Duration; 2],
    holds: bool,
    holds_at: Option<&'static str>,
    refuses: bool,
    cut_after: Option<u64>,
    ended: bool,
    connections: u64,
    bytes: [u64; 2],
    open: Vec<TcpStream>,
}

/// Which way bytes go.
#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

impl Proxy {
    /// A wire to the server of this remote store.
    pub fn before(remote: &dyn Served) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (wire, server) = (Arc::new(Wire::default()), remote.address());
        let listening = wire.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if listening.state().ended {
                    break;
                }
                if let Ok(client) = client {
                    listening.clone().joins(&client, server);
                }
            }
        });
        Proxy {
            address,
            url: remote.url_at(address),
            variables: remote.variables_at(address),
            wire,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Holds every piece of a request up for so long.
    pub fn delays_requests(&self, delay: Duration) -> &Proxy {
        self.changes(|state| state.delay[Way::There as usize] = delay)
    }

    /// Holds every piece of an answer up for so long.
    pub fn delays_answers(&self, delay: Duration) -> &Proxy {
        self.changes(|state| state.delay[Way::Back as usize] = delay)
    }

    /// Takes connections and lets nothing through, as a machine that hangs; what
    /// was held goes on once it does no longer.
    pub fn swallows(&self, holds: bool) -> &Proxy {
        self.changes(|state| state.holds = holds)
    }

    /// The same, from the first request on that has this in it.
    pub fn swallows_from(&self, text: &'static str) -> &Proxy {
        self.changes(|state| state.holds_at = Some(text))
    }

    /// Closes every new connection at once.
    pub fn refuses(&self, refuses: bool) -> &Proxy {
        self.changes(|state| state.refuses = refuses)
    }

    /// Closes a connection after so many bytes of answers.
    pub fn cuts_after(&self, bytes: Option<u64>) -> &Proxy {
        self.changes(|state| state.cut_after = bytes)
    }

    /// How many connections were made so far, refused ones too.
    pub fn connections(&self) -> u64 {
        self.wire.state().connections
    }

    /// How many bytes of requests went through.
    pub fn requested(&self) -> u64 {
        self.wire.state().bytes[Way::There as usize]
    }

    /// How many bytes of answers went through.
    pub fn answered(&self) -> u64 {
        self.wire.state().bytes[Way::Back as usize]
    }

    fn changes(&self, change: impl FnOnce(&mut State)) -> &Proxy {
        change(&mut self.wire.state());
        self.wire.changed.notify_all();
        self
    }
}

impl Remote for Proxy {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        self.variables.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.changes(|state| {
            state.ended = true;
            state.open.drain(..).for_each(|stream| close(&stream));
        });
        // The listening thread looks at that once somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Connects a client with the server.
    fn joins(self: Arc<Wire>, client: &TcpStream, server: SocketAddr) {
        self.state().connections += 1;
        let refuses = self.state().refuses;
        let Some(server) = (!refuses).then(|| TcpStream::connect(server).ok()).flatten() else {
            return close(client);
        };
        for stream in [client, &server] {
            let _ = stream.set_nodelay(true);
            self.state().open.extend(stream.try_clone());
        }
        let ends = [(client, &server, Way::There), (&server, client, Way::Back)];
        for (from, to, way) in ends {
            if let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) {
                let wire = self.clone();
                std::thread::spawn(move || wire.carries(from, to, way));
            }
        }
    }

    /// Carries what comes one way until an end closes.
    fn carries(&self, mut from: TcpStream, mut to: TcpStream, way: Way) {
        let (mut carried, mut buffer) = (0, vec![0; 1 << 14]);
        while let Ok(read) = from.read(&mut buffer) {
            if read == 0 {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            if matches!(way, Way::There) {
                let mut state = self.state();
                let is_in = |text: &&str| contains(&buffer[..read], text.as_bytes());
                state.holds |= state.holds_at.as_ref().is_some_and(is_in);
            }
            let Some(limit) = self.lets_pass(way) else { break };
            let room = limit.saturating_sub(carried).min(read as u64);
            let passing = &buffer[..room as usize];
            // Who has an answer finds it counted.
            carried += room;
            self.state().bytes[way as usize] += room;
            if to.write_all(passing).is_err() {
                break;
            }
            if carried >= limit {
                break;
            }
        }
        close(&from);
        close(&to);
    }

    /// Waits until a piece may pass, and tells how much may pass on its connection
    /// in all; nothing once nothing passes any more.
    fn lets_pass(&self, way: Way) -> Option<u64> {
        let came = Instant::now();
        let mut state = self.state();
        loop {
            if state.ended {
                return None;
            }
            let left = state.delay[way as usize].saturating_sub(came.elapsed());
            if state.holds {
                state = self.changed.wait(state).unwrap();
            } else if left > Duration::ZERO {
                state = self.changed.wait_timeout(state, left).unwrap().0;
            } else {
                let limit = state.cut_after.filter(|_| matches!(way, Way::Back));
                return Some(limit.unwrap_or(u64::MAX));
            }
        }
    }
}

fn close(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}
