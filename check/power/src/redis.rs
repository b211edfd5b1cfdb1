//! The control that others wrote: Debian's redis, which syncs its log before it answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Outcome;
use crate::load::Said;
use crate::numbers::data;

/// How many clients store at a time.
const CLIENTS: u64 = 16;

/// A server on a folder; ended with this.
struct Server {
    process: Child,
    socket: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(folder: &Path) -> Outcome<Self> {
        let socket = tempfile::tempdir()?;
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--aof-load-truncated", "yes"])
            .args(["--auto-aof-rewrite-percentage", "50"])
            .args(["--auto-aof-rewrite-min-size", "8mb", "--dir"])
            .arg(folder)
            .arg("--unixsocket")
            .arg(socket.path().join("socket"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("redis-server: {error} (Debian: redis-server)"))?;
        let server = Self { process, socket };
        for _ in 0..600 {
            if let Ok(mut client) = server.client()
                && client.ask(&[b"PING"])? == Reply::Text("PONG".into())
            {
                return Ok(server);
            }
            thread::park_timeout(Duration::from_millis(50));
        }
        Err("redis does not answer".into())
    }

    fn client(&self) -> Outcome<Client> {
        let stream = UnixStream::connect(self.socket.path().join("socket"))?;
        Ok(Client { stream: BufReader::new(stream) })
    }
}

struct Client {
    stream: BufReader<UnixStream>,
}

/// Those replies of redis that are wanted here.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Vec<u8>>),
}

impl Client {
    fn ask(&mut self, words: &[&[u8]]) -> Outcome<Reply> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request)?;
        let line = self.line()?;
        match line.split_at_checked(1) {
            Some(("+", text)) => Ok(Reply::Text(text.to_owned())),
            Some(("-", text)) if text.starts_with("LOADING") => Ok(Reply::Text(text.to_owned())),
            Some(("$", len)) => Ok(Reply::Bytes(self.bytes(len)?)),
            Some(("*", count)) => {
                let mut list = Vec::new();
                for _ in 0..count.parse()? {
                    let line = self.line()?;
                    list.push(self.bytes(line.strip_prefix('$').ok_or("a list of strings")?)?);
                }
                Ok(Reply::List(list))
            }
            _ => Err(format!("redis says {line:?}").into()),
        }
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    fn bytes(&mut self, len: &str) -> Outcome<Vec<u8>> {
        let mut bytes = vec![0; len.parse::<usize>()? + 2];
        self.stream.read_exact(&mut bytes)?;
        bytes.truncate(bytes.len() - 2);
        Ok(bytes)
    }
}

/// Stores without end.
pub(crate) fn load(folder: &Path, first: u64) -> Outcome<()> {
    let server = Server::start(folder)?;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|at| {
                let server = &server;
                scope.spawn(move || -> Outcome<()> {
                    let mut client = server.client()?;
                    for number in (first + at..).step_by(usize::try_from(CLIENTS)?) {
                        let name = number.to_string();
                        let reply = client.ask(&[b"SET", name.as_bytes(), &data(number)])?;
                        if reply != Reply::Text("OK".into()) {
                            return Err(format!("redis says {reply:?}").into());
                        }
                        Said::Stored(number).print()?;
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker.join().map_err(|_| "a client panicked")??;
        }
        Ok(())
    })
}

/// Starts a server on what is left and asks for all of it.
pub(crate) fn list(folder: &Path) -> Outcome<Vec<u64>> {
    let server = Server::start(folder)?;
    let mut client = server.client()?;
    let Reply::List(names) = client.ask(&[b"KEYS", b"*"])? else { return Err("no list".into()) };
    let mut numbers = Vec::new();
    for name in names {
        let number = std::str::from_utf8(&name)?.parse()?;
        if client.ask(&[b"GET", &name])? == Reply::Bytes(data(number)) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}
