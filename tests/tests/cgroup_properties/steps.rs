//! Layers that stop, count and write down calls; what a test does with the calls of others is a layer too.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use standin::Failure;
use standin::layer::{Argument, Call, Layer};

/// Calls that change what is there.
const CHANGES: [&str; 5] = ["mkdir", "rmdir", "write", "chmod", "chown"];

pub(crate) fn is_change(call: &Call) -> bool {
    CHANGES.contains(&call.name)
}

/// Does something before the call with a number, counted from 1; what that answers is the call's answer.
pub(crate) struct Before<F> {
    nth: usize,
    seen: AtomicUsize,
    then: F,
}

impl<F: Fn() -> Result<(), Failure>> Before<F> {
    pub(crate) fn call(nth: usize, then: F) -> Self {
        Self { nth, seen: AtomicUsize::new(0), then }
    }

    /// Whether there was such a call.
    pub(crate) fn was_reached(&self) -> bool {
        self.seen.load(Ordering::Relaxed) >= self.nth
    }
}

impl<F: Fn() -> Result<(), Failure> + Send + Sync> Layer for Before<F> {
    fn before(&self, _call: &Call) -> Result<(), Failure> {
        if self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.nth {
            (self.then)()
        } else {
            Ok(())
        }
    }
}

/// Refuses every change from one on.
pub(crate) struct NoMoreChanges {
    pub(crate) left: AtomicUsize,
    pub(crate) with: Failure,
}

impl Layer for NoMoreChanges {
    fn before(&self, call: &Call) -> Result<(), Failure> {
        let is_over = |left: usize| left.checked_sub(1);
        let relaxed = Ordering::Relaxed;
        if is_change(call) && self.left.fetch_update(relaxed, relaxed, is_over).is_err() {
            return Err(self.with.clone());
        }
        Ok(())
    }
}

/// Writes down the changes that were made: the call's name, and what a write wrote or which name a mkdir made.
#[derive(Default)]
pub(crate) struct Changes(Mutex<Vec<(&'static str, String)>>);

impl Changes {
    pub(crate) fn made(&self) -> Vec<(&'static str, String)> {
        self.0.lock().unwrap().clone()
    }
}

impl Layer for Changes {
    fn after(&self, call: &Call, failure: Option<&Failure>) {
        if !is_change(call) || failure.is_some() {
            return;
        }
        let bytes = call.arguments.iter().find_map(|(_, argument)| match argument {
            Argument::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Argument::Path(_) | Argument::Handle(_) | Argument::Room(_) | Argument::Other(_) => {
                None
            }
        });
        let what = bytes.or_else(|| call.path().map(|path| path.to_string()));
        self.0.lock().unwrap().push((call.name, what.unwrap_or_default()));
    }
}

/// Counts calls.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn calls(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Layer for Count {
    fn before(&self, _call: &Call) -> Result<(), Failure> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
