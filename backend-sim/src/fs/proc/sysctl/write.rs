//! Writing to a setting.
//!
//! A number is taken from the start of the file alone; a write behind it counts as done and changes nothing.

use standin::backend::{Access, NamespaceKind};
use standin::{Errno, Failure};

use super::number::{self, Signed};
use super::row::Setting;
use super::{Meant, SettingId, meant_by, store};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::namespace::pid;
use crate::namespace::user::MOST;
use crate::namespace::uts::{self, Name};
use crate::notify;
use crate::step::Step;
use crate::task::ThreadKey;

/// What threads-max can be.
const THREADS: std::ops::RangeInclusive<i64> = 1..=0x3fff_ffff;

/// One write: how many bytes of it count as written, which is all.
///
/// # Errors
/// What [`meant_by`] refuses. EINVAL: not what the setting can be. EACCES: it is only read. `NotModelled`: it would change what the machine does in a way
/// that is not modelled.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (file, id): (FileKey, SettingId),
    offset: u64,
    bytes: &[u8],
) -> Step<usize> {
    let meant = &meant_by(kernel, caller, (file, id), Access::WRITE)?;
    let changed = match &id.row().setting {
        Setting::Name(which) => {
            let old = uts::name_of(kernel, caller, *which).as_bytes();
            match line(old, offset, bytes) {
                Some(line) => uts::put_name(kernel, caller, *which, Name::cut(&line)),
                None => uts::tell(kernel, *which),
            }
            None
        }
        Setting::Threads if offset > 0 || bytes.is_empty() => None,
        Setting::Threads => {
            let most = one(bytes)?.int().filter(|most| THREADS.contains(most));
            Some(most.ok_or(Errno::EINVAL)?.to_string().into_bytes())
        }
        Setting::Swappiness => {
            return Err(Failure::NotModelled("a number in /proc/sys").into());
        }
        Setting::Limit(kind) => {
            write_limit(kernel, meant, *kind, offset, bytes)?;
            None
        }
        Setting::Watching(limit) => {
            if offset == 0 {
                notify::setting::set(kernel, *limit, bytes)?;
            }
            None
        }
        Setting::LastNumber | Setting::NumberEnd if offset > 0 => None,
        Setting::LastNumber => {
            pid::setting::write_last(kernel, caller, bytes)?;
            None
        }
        Setting::NumberEnd => {
            pid::setting::write_end(kernel, meant.pids, bytes)?;
            None
        }
        Setting::Number(_) | Setting::Long(_) | Setting::Numbers(_) | Setting::NumbersTo(..)
            if offset > 0 || bytes.is_empty() =>
        {
            None
        }
        Setting::Number(wanted) => {
            let number = one(bytes)?.int().filter(|number| wanted.range.contains(number));
            let number = number.ok_or(Errno::EINVAL)?;
            if !wanted.known.contains(&number) {
                return Err(Failure::NotModelled("what follows from a number in /proc/sys").into());
            }
            Some(number.to_string().into_bytes())
        }
        Setting::Long(_) => {
            let number = one(bytes)?;
            if number.negative {
                return Err(Errno::EINVAL.into());
            }
            Some(number.magnitude.to_string().into_bytes())
        }
        Setting::Numbers(first) => Some(write_numbers(kernel, meant, id, first, bytes)?),
        Setting::NumbersTo(first, most) => {
            let old = store::get(kernel, meant, id).map(<[u8]>::to_vec);
            let old = old.unwrap_or_else(|| self::first(&id.row().setting).into_bytes());
            let new = write_numbers(kernel, meant, id, first, bytes)?;
            if last(&new).is_none_or(|last| !(0..=*most).contains(&last)) {
                // The others are changed nevertheless.
                let kept = last(&old).unwrap_or(*most).to_string();
                let text = String::from_utf8_lossy(&new);
                let others = text.rsplit_once('\t').map_or("", |(others, _)| others);
                store::set(kernel, meant, id, format!("{others}\t{kept}").as_bytes());
                return Err(Errno::ERANGE.into());
            }
            Some(new)
        }
        Setting::Text(_, room) => {
            let old = store::get(kernel, meant, id);
            let first = first(&id.row().setting);
            line(old.unwrap_or(first.as_bytes()), offset, bytes).map(|mut line| {
                line.truncate(*room);
                line
            })
        }
        Setting::Unmodelled => return Err(Failure::NotModelled("a file below /proc/sys").into()),
        Setting::Directory(_)
        | Setting::Fixed(_)
        | Setting::System
        | Setting::Release
        | Setting::Build
        | Setting::Hardware => return Err(Errno::EACCES.into()),
    };
    if let Some(text) = changed {
        store::set(kernel, meant, id, &text);
    }
    Ok(bytes.len())
}

/// What a setting says before anybody has written it.
pub(super) fn first(setting: &Setting) -> String {
    match setting {
        Setting::Fixed(text) | Setting::Text(text, _) => (*text).to_owned(),
        Setting::Number(number) => number.first.to_string(),
        Setting::Long(number) => number.to_string(),
        Setting::Numbers(numbers) | Setting::NumbersTo(numbers, _) => {
            let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            words.join("\t")
        }
        Setting::Directory(_)
        | Setting::Name(_)
        | Setting::System
        | Setting::Release
        | Setting::Build
        | Setting::Hardware
        | Setting::Swappiness
        | Setting::Threads
        | Setting::Limit(_)
        | Setting::Watching(_)
        | Setting::LastNumber
        | Setting::NumberEnd
        | Setting::Unmodelled => String::new(),
    }
}

/// The last of several numbers.
fn last(numbers: &[u8]) -> Option<i64> {
    std::str::from_utf8(numbers).ok()?.rsplit('\t').next()?.parse().ok()
}

/// The one number that a write begins with; what stands behind it is not looked at.
fn one(bytes: &[u8]) -> Result<Signed, Errno> {
    let (number, _) = number::next(bytes)?.ok_or(Errno::EINVAL)?;
    Ok(number)
}

/// A line that is written over another one from an offset on: up to the first NUL or newline. Behind the end of the old one
/// nothing changes.
fn line(old: &[u8], offset: u64, bytes: &[u8]) -> Option<Vec<u8>> {
    let kept = old.get(..usize::try_from(offset).ok()?)?;
    if bytes.is_empty() {
        return None;
    }
    let new = bytes.split(|byte| matches!(byte, 0 | b'\n')).next().unwrap_or_default();
    Some([kept, new].concat())
}

/// The numbers of a setting that has several, with as many of them changed as were written. Those before a wrong one stay
/// changed.
fn write_numbers(
    kernel: &mut Kernel,
    meant: &Meant,
    id: SettingId,
    first: &[i64],
    bytes: &[u8],
) -> Step<Vec<u8>> {
    let old = store::get(kernel, meant, id).map(|text| String::from_utf8_lossy(text).into_owned());
    let old = old.unwrap_or_else(|| self::first(&Setting::Numbers(&[])));
    let mut numbers: Vec<String> = if old.is_empty() {
        first.iter().map(ToString::to_string).collect()
    } else {
        old.split('\t').map(str::to_owned).collect()
    };
    let mut rest = bytes;
    let mut wrong = None;
    for (place, number) in numbers.iter_mut().enumerate() {
        match number::next(rest) {
            Ok(Some((signed, behind))) => {
                let Some(int) = signed.int() else {
                    wrong = Some(Errno::EINVAL);
                    break;
                };
                *number = int.to_string();
                rest = behind;
            }
            Ok(None) if place > 0 => break,
            Ok(None) => return Err(Errno::EINVAL.into()),
            Err(errno) => {
                wrong = Some(errno);
                break;
            }
        }
    }
    let text = numbers.join("\t").into_bytes();
    match wrong {
        Some(errno) => {
            store::set(kernel, meant, id, &text);
            Err(errno.into())
        }
        None => Ok(text),
    }
}

/// One write of a limit, a number from 0 to the highest; what stands behind it is not looked at.
///
/// # Errors
/// EINVAL: no such number.
fn write_limit(
    kernel: &mut Kernel,
    meant: &Meant,
    kind: NamespaceKind,
    offset: u64,
    bytes: &[u8],
) -> Result<(), Errno> {
    if offset > 0 || bytes.is_empty() {
        return Ok(());
    }
    let most = one(bytes)?.int().and_then(|number| u32::try_from(number).ok());
    let most = most.filter(|most| *most <= MOST).ok_or(Errno::EINVAL)?;
    kernel.namespaces.user_mut(meant.user).limits.set(kind, most);
    Ok(())
}
