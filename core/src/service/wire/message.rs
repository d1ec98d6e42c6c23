//! The messages: what the frames of each type mean.

use std::fmt;

use bitflags::bitflags;

use super::{Frame, Status, Violation};

/// The type of the service's first frame.
const INFO: i32 = 0x9000;

/// What can be asked of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    /// The host name that its processes see.
    Hostname,
    /// The id of its first process.
    ProcessId,
}

/// What is asked, the type of the request, the type of the reply, the bit that announces it.
const LOOKUPS: [(Lookup, i32, i32, Features); 2] = [
    (Lookup::Hostname, 0x9001, 0x9002, Features::HOSTNAME),
    (Lookup::ProcessId, 0x9003, 0x9004, Features::PROCESS_ID),
];

impl Lookup {
    const fn row(self) -> &'static (Self, i32, i32, Features) {
        let [hostname, process_id] = &LOOKUPS;
        match self {
            Self::Hostname => hostname,
            Self::ProcessId => process_id,
        }
    }

    /// The bit that announces it.
    #[must_use]
    pub const fn feature(self) -> Features {
        self.row().3
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Hostname => "host name",
            Self::ProcessId => "process id",
        })
    }
}

bitflags! {
    /// What a service can look up.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Features: u32 {
        /// Host names.
        const HOSTNAME = 1;
        /// Process ids.
        const PROCESS_ID = 2;
        /// Names of cgroups: of other services, ours has it not.
        const CGROUP_NAME = 4;
    }
}

/// The service's first frame: who it is, or why it will not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// [`Status::OK`], or why it will not serve.
    pub status: Status,
    /// What can be asked; bits that nobody knows are left out.
    pub features: Features,
}

impl Info {
    /// Its frame.
    #[must_use]
    pub fn to_frame(self) -> Frame {
        let body = [self.features.bits(), 0].map(u32::to_ne_bytes).as_flattened().to_vec();
        Frame { kind: INFO, status: self.status.0, body }
    }

    /// What a frame says.
    ///
    /// # Errors
    /// [`Violation::Type`], [`Violation::Body`].
    pub fn from_frame(frame: &Frame) -> Result<Self, Violation> {
        let Frame { kind, status, body } = frame;
        if *kind != INFO {
            return Err(Violation::Type { found: *kind, wanted: "the service's INFO" });
        }
        match body.as_chunks::<4>() {
            ([features, _], []) => Ok(Self {
                status: Status(*status),
                features: Features::from_bits_truncate(u32::from_ne_bytes(*features)),
            }),
            _ => Err(Violation::Body { kind: *kind, length: body.len(), right: 8 }),
        }
    }
}

/// A name as it travels: at most 4095 bytes, no NUL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Name(Vec<u8>);

impl Name {
    /// The longest name.
    pub const MOST_BYTES: usize = 4095;

    /// Takes bytes as a name; none are a name too.
    ///
    /// # Errors
    /// [`Violation::Name`] if there are too many, or a NUL is among them.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Violation> {
        let bytes = bytes.into();
        if bytes.len() > Self::MOST_BYTES || bytes.contains(&0) {
            return Err(Violation::Name { length: bytes.len(), least: 0 });
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub lookup: Lookup,
    /// Of which process, for a host name without a container's name; else 0.
    pub pid: i32,
    /// Of which container.
    pub name: Name,
}

impl Request {
    /// Its frame.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        container(self.lookup.row().1, Status::OK, self.pid, &self.name)
    }

    /// What a frame asks.
    ///
    /// # Errors
    /// [`Violation::Type`], [`Violation::Status`], [`Violation::Body`], [`Violation::Name`]: the latter too if no
    /// container is named and it is not a host name that is asked for.
    pub fn from_frame(frame: &Frame) -> Result<Self, Violation> {
        let Some((lookup, ..)) = LOOKUPS.iter().find(|row| row.1 == frame.kind) else {
            return Err(Violation::Type { found: frame.kind, wanted: "a request" });
        };
        if frame.status < 0 {
            return Err(Violation::Status { status: frame.status });
        }
        let (pid, name) = container_of(frame)?;
        if name == Name::default() && *lookup != Lookup::Hostname {
            return Err(Violation::Name { length: 0, least: 1 });
        }
        Ok(Self { lookup: *lookup, pid, name })
    }
}

/// What the service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What was asked.
    pub lookup: Lookup,
    /// [`Status::OK`], or why there is no answer.
    pub status: Status,
    /// The container's first process; without an answer, what the request said.
    pub pid: i32,
    /// The host name, if that was asked for.
    pub name: Name,
}

impl Reply {
    /// Its frame.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        container(self.lookup.row().2, self.status, self.pid, &self.name)
    }

    /// What a frame answers.
    ///
    /// # Errors
    /// [`Violation::Type`], [`Violation::Body`], [`Violation::Name`].
    pub fn from_frame(frame: &Frame) -> Result<Self, Violation> {
        let Some((lookup, ..)) = LOOKUPS.iter().find(|row| row.2 == frame.kind) else {
            return Err(Violation::Type { found: frame.kind, wanted: "a reply" });
        };
        let (pid, name) = container_of(frame)?;
        Ok(Self { lookup: *lookup, status: Status(frame.status), pid, name })
    }
}

/// The frame of requests and replies.
fn container(kind: i32, status: Status, pid: i32, name: &Name) -> Frame {
    let length = i32::try_from(name.0.len()).unwrap_or(i32::MAX);
    let words = [pid, length].map(i32::to_ne_bytes);
    Frame { kind, status: status.0, body: [words.as_flattened(), &name.0].concat() }
}

fn container_of(frame: &Frame) -> Result<(i32, Name), Violation> {
    let Frame { kind, body, .. } = frame;
    let wrong = |right| Violation::Body { kind: *kind, length: body.len(), right };
    let (pid, rest) = body.split_first_chunk::<4>().ok_or_else(|| wrong(8))?;
    let (length, name) = rest.split_first_chunk::<4>().ok_or_else(|| wrong(8))?;
    let length = i32::from_ne_bytes(*length);
    if usize::try_from(length) != Ok(name.len()) {
        return Err(wrong(8 + i64::from(length)));
    }
    Ok((i32::from_ne_bytes(*pid), Name::new(name)?))
}
