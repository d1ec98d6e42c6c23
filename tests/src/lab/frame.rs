//! What a guest says over its serial line, in frames that survive noise.
//!
//! A frame is a line: mark, kind, number of the script, checksum, content without blanks and ends of lines. The kernel may
//! print into the same line at any time: what is no frame, or a damaged one, is passed over, and its script has then no
//! answer. The line is slow, so most bytes stand for themselves.

/// Begins a frame; stands in no other line by chance.
const MARK: &[u8] = b"@standin-lab ";
/// Longest line that may be a frame.
const MAX_LINE_BYTES: usize = 16 << 20;
/// Longest content: each byte takes four at most, and the line has its head.
pub const MAX_CONTENT_BYTES: usize = (MAX_LINE_BYTES >> 2) - 128;
/// What stands for the two bytes that end words and lines, and begins what stands for itself nowhere.
const BLANK: u8 = b'~';
const END: u8 = b'$';
const ESCAPE: u8 = b'\\';

/// What a frame is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first script begins; the others follow one another.
    Begin,
    /// A script's transcript, or the log of a witness's session.
    Transcript,
    /// Why there is no transcript; the guest is as it was.
    Refused,
    /// Why there is no transcript; the guest may not be as it was and ends.
    Broken,
    /// Nothing comes any more.
    End,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Begin, Self::Transcript, Self::Refused, Self::Broken, Self::End];

    const fn word(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Transcript => "transcript",
            Self::Refused => "refused",
            Self::Broken => "broken",
            Self::End => "end",
        }
    }
}

/// One thing that a guest says.
///
/// ```
/// use standin_tests::lab::frame::{Frame, Hearing, Kind};
///
/// let frame = Frame { kind: Kind::Transcript, script: 3, content: b"init> pid\n1\n".to_vec() };
/// assert_eq!(Hearing::default().hear(&frame.to_bytes()), [frame]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is about.
    pub kind: Kind,
    /// Which script, as the guest was given them, from 0.
    pub script: usize,
    /// A transcript, or a reason.
    pub content: Vec<u8>,
}

impl Frame {
    /// The line, with an end of line before it as well: whatever was printed last may have none.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = format!("{} {}", self.kind.word(), self.script);
        let sum = checksum(head.as_bytes(), &self.content);
        let mut line = vec![b'\n'];
        line.extend_from_slice(MARK);
        line.extend_from_slice(format!("{head} {sum:016x} ").as_bytes());
        for byte in &self.content {
            match *byte {
                b' ' => line.push(BLANK),
                b'\n' => line.push(END),
                BLANK | END | ESCAPE => line.extend_from_slice(&[ESCAPE, *byte]),
                0x21..0x7f => line.push(*byte),
                _ => {
                    line.extend_from_slice(format!("{}x{byte:02x}", char::from(ESCAPE)).as_bytes())
                }
            }
        }
        line.push(b'\n');
        line
    }

    fn read(line: &[u8]) -> Option<Self> {
        let at = line.windows(MARK.len()).rposition(|window| window == MARK)?;
        let text = std::str::from_utf8(line.get(at + MARK.len()..)?).ok()?;
        let mut words = text.trim_end_matches(['\r', '\n']).split(' ');
        let (kind, script, sum) = (words.next()?, words.next()?, words.next()?);
        let content = unfolded(words.next()?.as_bytes())?;
        let head = format!("{kind} {script}");
        let is_whole = u64::from_str_radix(sum, 16) == Ok(checksum(head.as_bytes(), &content));
        let kind = Kind::ALL.into_iter().find(|known| known.word() == kind)?;
        let script = script.parse().ok()?;
        (is_whole && words.next().is_none()).then_some(Self { kind, script, content })
    }
}

/// The listener's side: bytes as they come, frames as they are complete.
#[derive(Debug, Default)]
pub struct Hearing {
    line: Vec<u8>,
    /// The line has become too long to be a frame.
    is_noise: bool,
}

impl Hearing {
    /// The frames that these bytes complete.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.is_noise |= self.line.len() + piece.len() > MAX_LINE_BYTES;
            if self.is_noise {
                self.line.clear();
            } else {
                self.line.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                frames.extend(Frame::read(&self.line));
                self.line.clear();
                self.is_noise = false;
            }
        }
        frames
    }
}

/// The content that a word stands for.
fn unfolded(word: &[u8]) -> Option<Vec<u8>> {
    let (mut content, mut bytes) = (Vec::with_capacity(word.len()), word.iter().copied());
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    while let Some(byte) = bytes.next() {
        content.push(match byte {
            BLANK => b' ',
            END => b'\n',
            ESCAPE => match bytes.next()? {
                b'x' => u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?,
                byte => byte,
            },
            byte => byte,
        });
    }
    Some(content)
}

/// FNV-1a, which finds damage by accident; nobody attacks this line.
fn checksum(head: &[u8], content: &[u8]) -> u64 {
    head.iter().chain(content).fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
