//! Requests and outcomes as bytes, for a stage whose actors are other processes.
//!
//! Both ends are the same program, so the form is fixed and has no version: a byte says which variant, numbers are little
//! endian, a string stands behind its length. An operation travels as its line. What cannot be read is refused, never
//! guessed; a length is checked before anything is kept. Framing on the way (where one message ends) is the stage's.

use super::actor::ActorId;
use super::op::{ForkOptions, Op, ProcessOp};
use super::outcome::{Form, Outcome, Part, PidRule};
use super::stage::{Aim, Request, Task};
use super::value::Label;
use crate::errno::Errno;
use crate::id::{Moment, Pid};

/// The bytes are not what the other end sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message of a transcript's stage")]
pub struct WireError;

type Read<T> = Result<T, WireError>;

impl Request {
    /// The request as bytes.
    ///
    /// ```
    /// use standin::transcript::{ActorId, Request};
    /// let request = Request::Thread { thread: ActorId(3) };
    /// assert_eq!(Request::from_bytes(&request.to_bytes()), Ok(request));
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Perform(Task { op, aim }) => {
                out.push(0);
                put_bytes(&mut out, op.to_string().as_bytes());
                put_aim(&mut out, aim);
            }
            Self::Fork { child, options } => {
                out.push(1);
                out.extend(child.0.to_le_bytes());
                let fork = ProcessOp::Fork { child: Label::init(), options: options.clone() };
                put_bytes(&mut out, Op::Processes(fork).to_string().as_bytes());
            }
            Self::Thread { thread } => {
                out.push(2);
                out.extend(thread.0.to_le_bytes());
            }
        }
        out
    }

    /// The request that these bytes are.
    ///
    /// # Errors
    /// [`WireError`] if they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut from = Reader(bytes);
        let request = match from.byte()? {
            0 => Self::Perform(Task { op: from.op()?, aim: from.aim()? }),
            1 => Self::Fork { child: ActorId(from.u32()?), options: from.fork_options()? },
            2 => Self::Thread { thread: ActorId(from.u32()?) },
            _ => return Err(WireError),
        };
        from.end(request)
    }
}

impl Outcome {
    /// The outcome as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Done => out.push(8),
            Self::Printed { form, parts } => {
                out.push(match form {
                    Form::Status => 0,
                    Form::Text => 1,
                    Form::Value => 2,
                    Form::Listing => 3,
                });
                for part in parts {
                    match part {
                        Part::Bytes(bytes) => {
                            out.push(0);
                            put_bytes(&mut out, bytes);
                        }
                        Part::Process(pid, rule) => {
                            out.push(match rule {
                                PidRule::Number => 1,
                                PidRule::Label => 2,
                            });
                            out.extend(pid.0.to_le_bytes());
                        }
                    }
                }
            }
            Self::Failed { errno, opening } => {
                out.push(if *opening { 5 } else { 4 });
                out.extend(errno.raw().to_le_bytes());
            }
            Self::NotModelled => out.push(6),
            Self::Broken(what) => {
                out.push(7);
                put_bytes(&mut out, what.as_bytes());
            }
        }
        out
    }

    /// The outcome that these bytes are.
    ///
    /// # Errors
    /// [`WireError`] if they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut from = Reader(bytes);
        let outcome = match from.byte()? {
            0 => Self::Printed { form: Form::Status, parts: from.parts()? },
            1 => Self::Printed { form: Form::Text, parts: from.parts()? },
            2 => Self::Printed { form: Form::Value, parts: from.parts()? },
            3 => Self::Printed { form: Form::Listing, parts: from.parts()? },
            4 => Self::Failed { errno: from.errno()?, opening: false },
            5 => Self::Failed { errno: from.errno()?, opening: true },
            6 => Self::NotModelled,
            7 => Self::Broken(from.text()?.to_owned()),
            8 => Self::Done,
            _ => return Err(WireError),
        };
        from.end(outcome)
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    // Longer than any line or answer; what does not fit is refused at the other end.
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_aim(out: &mut Vec<u8>, aim: &Aim) {
    let Aim { target, in_proc, numbers, initial } = aim;
    let mut number = |some: Option<u64>| {
        out.push(u8::from(some.is_some()));
        out.extend(some.unwrap_or_default().to_le_bytes());
    };
    number(target.map(|actor| actor.0.into()));
    number(in_proc.map(|pid| pid.0.into()));
    number(initial.map(|moment| moment.ns));
    for (label, pid) in numbers {
        out.extend(pid.0.to_le_bytes());
        put_bytes(out, label.as_str().as_bytes());
    }
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(len).ok_or(WireError)?;
        self.0 = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| WireError)
    }

    fn byte(&mut self) -> Read<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn errno(&mut self) -> Read<Errno> {
        self.array().map(|raw| Errno::from_raw(i32::from_le_bytes(raw)))
    }

    fn number(&mut self) -> Read<Option<u64>> {
        let is_some = self.byte()? == 1;
        let number = u64::from_le_bytes(self.array()?);
        Ok(is_some.then_some(number))
    }

    fn small_number(&mut self) -> Read<Option<u32>> {
        self.number()?.map(|number| u32::try_from(number).map_err(|_| WireError)).transpose()
    }

    fn bytes(&mut self) -> Read<&'a [u8]> {
        let len = usize::try_from(self.u32()?).map_err(|_| WireError)?;
        self.take(len)
    }

    fn text(&mut self) -> Read<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError)
    }

    fn op(&mut self) -> Read<Op> {
        self.text()?.parse().map_err(|_| WireError)
    }

    fn fork_options(&mut self) -> Read<ForkOptions> {
        match self.op()? {
            Op::Processes(ProcessOp::Fork { options, .. }) => Ok(options),
            Op::Processes(_)
            | Op::Files(_)
            | Op::Namespaces(_)
            | Op::Resources(_)
            | Op::Sockets(_)
            | Op::Identity(_)
            | Op::Links(_)
            | Op::System(_) => Err(WireError),
        }
    }

    fn aim(&mut self) -> Read<Aim> {
        let target = self.small_number()?.map(ActorId);
        let in_proc = self.small_number()?.map(Pid);
        let initial = self.number()?.map(|ns| Moment { ns });
        let mut numbers = Vec::new();
        while !self.0.is_empty() {
            let pid = Pid(self.u32()?);
            numbers.push((Label::new(self.text()?).ok_or(WireError)?, pid));
        }
        Ok(Aim { target, in_proc, numbers, initial })
    }

    fn parts(&mut self) -> Read<Vec<Part>> {
        let mut parts = Vec::new();
        while !self.0.is_empty() {
            parts.push(match self.byte()? {
                0 => Part::Bytes(self.bytes()?.to_vec()),
                1 => Part::Process(Pid(self.u32()?), PidRule::Number),
                2 => Part::Process(Pid(self.u32()?), PidRule::Label),
                _ => return Err(WireError),
            });
        }
        Ok(parts)
    }

    /// The message, if nothing stands behind it.
    fn end<T>(self, message: T) -> Read<T> {
        if self.0.is_empty() { Ok(message) } else { Err(WireError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::UNSEEN;

    fn requests() -> Vec<Request> {
        let label = |name: &str| Label::new(name).unwrap();
        let full = Aim {
            target: Some(ActorId(u32::MAX)),
            in_proc: Some(Pid(1)),
            numbers: vec![(label("p"), UNSEEN), (label("q-1"), Pid(3))],
            initial: Some(Moment { ns: u64::MAX }),
        };
        let task = |op: &str, aim| Request::Perform(Task { op: op.parse().unwrap(), aim });
        let Ok(Op::Processes(ProcessOp::Fork { options, .. })) =
            "fork p into=/a\u{fc} new=pid,user uid=1000".parse()
        else {
            panic!("a fork")
        };
        vec![
            task("write /f \"<p> \\0\\xff\\n\"", full),
            task("pid", Aim::default()),
            Request::Fork { child: ActorId(9), options },
            Request::Fork { child: ActorId(1), options: ForkOptions::default() },
            Request::Thread { thread: ActorId(0) },
        ]
    }

    fn outcomes() -> Vec<Outcome> {
        let parts = vec![
            Part::Bytes(b"\0\xff\n".to_vec()),
            Part::Process(Pid(7), PidRule::Number),
            Part::Process(UNSEEN, PidRule::Label),
        ];
        vec![
            Outcome::ok(),
            Outcome::status("idle"),
            Outcome::text(Vec::new()),
            Outcome::value("v"),
            Outcome::listing("1\n"),
            Outcome::Printed { form: Form::Text, parts },
            Outcome::failed(Errno::from_raw(-524)),
            Outcome::failed(Errno::EACCES).while_opening(),
            Outcome::NotModelled,
            Outcome::Broken("why".to_owned()),
        ]
    }

    #[test]
    fn every_message_is_read_as_it_was_written() {
        for request in requests() {
            assert_eq!(Request::from_bytes(&request.to_bytes()), Ok(request));
        }
        for outcome in outcomes() {
            assert_eq!(Outcome::from_bytes(&outcome.to_bytes()), Ok(outcome));
        }
    }

    #[test]
    fn bytes_that_are_cut_or_changed_never_panic() {
        let messages = requests().iter().map(Request::to_bytes).collect::<Vec<_>>();
        let outcomes: Vec<_> = outcomes().iter().map(Outcome::to_bytes).collect();
        for bytes in messages.into_iter().chain(outcomes) {
            for at in 0..bytes.len() {
                let cut = &bytes[..at];
                assert_ne!(Request::from_bytes(cut).map(|it| it.to_bytes()), Ok(bytes.clone()));
                for value in [0, 1, 7, 8, 9, 0x7f, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] = value;
                    let _ = (Request::from_bytes(&changed), Outcome::from_bytes(&changed));
                }
            }
        }
        assert_eq!(Request::from_bytes(&[2, 0, 0, 0, 0, 0]), Err(WireError));
        assert_eq!(Outcome::from_bytes(&[8, 0]), Err(WireError));
    }
}
