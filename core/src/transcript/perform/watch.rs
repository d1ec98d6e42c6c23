//! Watches on files (inotify(7)), under names.

use super::link::flags;
use super::{Act, Performed, done};
use crate::backend::{SocketFlags, WatchEvent as Happened, WatchFlags};
use crate::handle::Watcher;
use crate::id::WatchId;
use crate::path::KPath;
use crate::transcript::actor::Facts;
use crate::transcript::choice::Nonblock;
use crate::transcript::op::WatchEvent;
use crate::transcript::outcome::Outcome;
use crate::transcript::value::Label;

/// A watch that no watcher has.
const NO_WATCH: WatchId = WatchId(-1);

/// What `all` is: the first twelve.
const ALL_EVENTS: WatchFlags = WatchFlags::from_bits_truncate(0xfff);

/// The words of what happened, in the order in which they are printed.
const WORDS: [(WatchFlags, &str); 16] = [
    (WatchFlags::ACCESS, "access"),
    (WatchFlags::MODIFY, "modify"),
    (WatchFlags::ATTRIB, "attrib"),
    (WatchFlags::CLOSE_WRITE, "close_write"),
    (WatchFlags::CLOSE_NOWRITE, "close_nowrite"),
    (WatchFlags::OPEN, "open"),
    (WatchFlags::MOVED_FROM, "moved_from"),
    (WatchFlags::MOVED_TO, "moved_to"),
    (WatchFlags::CREATE, "create"),
    (WatchFlags::DELETE, "delete"),
    (WatchFlags::DELETE_SELF, "delete_self"),
    (WatchFlags::MOVE_SELF, "move_self"),
    (WatchFlags::IGNORED, "ignored"),
    (WatchFlags::UNMOUNT, "unmount"),
    (WatchFlags::QUEUE_OVERFLOW, "q_overflow"),
    (WatchFlags::IS_DIR, "isdir"),
];

pub(super) fn make(act: &Act<'_>, fd: &Label, nonblock: Option<Nonblock>) -> Performed {
    act.actor.close(fd);
    let watcher = act.kernel.watcher(flags(nonblock).contains(SocketFlags::NONBLOCKING))?;
    act.actor.keep(fd, watcher, Facts::default());
    Ok(Outcome::ok())
}

pub(super) fn add(
    act: &Act<'_>,
    fd: &Label,
    name: &Label,
    path: &KPath,
    events: &[WatchEvent],
) -> Performed {
    let events = events.iter().copied().map(WatchFlags::from).collect();
    let watch = act.kernel.watch(&act.handle(fd), path.into(), events)?;
    act.actor.name_watch(fd, watch, name);
    Ok(Outcome::ok())
}

pub(super) fn remove(act: &Act<'_>, fd: &Label, name: &Label) -> Performed {
    let watches = act.actor.facts(fd).watches;
    let named = watches.iter().rev().find(|(_, known)| known == name);
    done(act.kernel.unwatch(&act.handle(fd), named.map_or(NO_WATCH, |(watch, _)| *watch)))
}

pub(super) fn events(act: &Act<'_>, fd: &Label) -> Performed {
    let watcher: Watcher = act.handle(fd);
    let events = act.kernel.watched(&watcher)?;
    Ok(Outcome::text(print(&events, &act.actor.facts(fd).watches)))
}

/// A line an event: `NAME EVENT[,isdir] [FILE] [#N]`.
fn print(events: &[Happened], names: &[(WatchId, Label)]) -> Vec<u8> {
    let mut cookies = Vec::new();
    let mut text = Vec::new();
    for event in events {
        let name = names.iter().find(|(watch, _)| *watch == event.watch);
        // An overflow belongs to no watch.
        text.extend_from_slice(name.map_or("-", |(_, name)| name.as_str()).as_bytes());
        let words = WORDS.iter().filter(|(flag, _)| event.flags.contains(*flag));
        let words: Vec<&str> = words.map(|(_, word)| *word).collect();
        text.push(b' ');
        text.extend_from_slice(words.join(",").as_bytes());
        if let Some(file) = &event.name {
            text.push(b' ');
            text.extend_from_slice(file.as_bytes());
        }
        if event.cookie != 0 {
            let seen = cookies.iter().position(|cookie| *cookie == event.cookie);
            let number = seen.unwrap_or_else(|| {
                cookies.push(event.cookie);
                cookies.len() - 1
            });
            text.extend_from_slice(format!(" #{}", number + 1).as_bytes());
        }
        text.push(b'\n');
    }
    text
}

impl From<WatchEvent> for WatchFlags {
    fn from(event: WatchEvent) -> Self {
        match event {
            WatchEvent::Access => Self::ACCESS,
            WatchEvent::Modify => Self::MODIFY,
            WatchEvent::Attrib => Self::ATTRIB,
            WatchEvent::CloseWrite => Self::CLOSE_WRITE,
            WatchEvent::CloseNowrite => Self::CLOSE_NOWRITE,
            WatchEvent::Open => Self::OPEN,
            WatchEvent::MovedFrom => Self::MOVED_FROM,
            WatchEvent::MovedTo => Self::MOVED_TO,
            WatchEvent::Create => Self::CREATE,
            WatchEvent::Delete => Self::DELETE,
            WatchEvent::DeleteSelf => Self::DELETE_SELF,
            WatchEvent::MoveSelf => Self::MOVE_SELF,
            WatchEvent::Onlydir => Self::ONLY_DIR,
            WatchEvent::DontFollow => Self::DONT_FOLLOW,
            WatchEvent::Oneshot => Self::ONESHOT,
            WatchEvent::MaskAdd => Self::MASK_ADD,
            WatchEvent::MaskCreate => Self::MASK_CREATE,
            WatchEvent::All => ALL_EVENTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::KPathBuf;

    #[test]
    fn all_is_the_first_twelve_events() {
        let first_twelve = WORDS.iter().take(12).map(|(flag, _)| *flag).collect();
        assert_eq!(ALL_EVENTS, first_twelve);
        for (flag, word) in &WORDS[..12] {
            let event = WatchEvent::ALL.iter().find(|event| event.word() == *word).unwrap();
            assert_eq!(WatchFlags::from(*event), *flag);
        }
    }

    #[test]
    fn the_halves_of_a_rename_have_one_number() {
        let event = |flags, cookie, name: &str| Happened {
            watch: WatchId(1),
            flags,
            cookie,
            name: Some(KPathBuf::new(name).unwrap()),
        };
        let events = [
            event(WatchFlags::MOVED_FROM, 77, "a"),
            event(WatchFlags::MOVED_TO | WatchFlags::IS_DIR, 77, "b"),
            event(WatchFlags::MOVED_FROM, 78, "c"),
            Happened { watch: NO_WATCH, flags: WatchFlags::QUEUE_OVERFLOW, cookie: 0, name: None },
        ];
        let names = [(WatchId(1), Label::new("w").unwrap())];
        let text = String::from_utf8(print(&events, &names)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let expected =
            ["w moved_from a #1", "w moved_to,isdir b #1", "w moved_from c #2", "- q_overflow"];
        assert_eq!(lines, expected);
    }
}
