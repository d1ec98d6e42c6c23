//! A thread that is an actor.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;

use standin::Errno;
use standin::backend::Processes as _;
use standin::id::Tid;

use super::player::Player;
use crate::view::Linux;

/// Room for what `perform` calls.
const STACK_BYTES: usize = 1 << 20;

/// Starts a thread that plays, and answers with its number when it runs. The thread ends when it has played.
pub(super) fn start(player: Player) -> Result<Tid, Errno> {
    let (tell, told) = sync_channel(1);
    let started = Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let _ = tell.send(Linux::own().tid());
        player.play();
    });
    match started {
        Ok(_) => told.recv().ok().and_then(Result::ok).ok_or(Errno::ESRCH),
        Err(refused) => Err(number(&refused)),
    }
}

fn number(refused: &io::Error) -> Errno {
    Errno::from_raw(refused.raw_os_error().unwrap_or(libc::EAGAIN))
}
