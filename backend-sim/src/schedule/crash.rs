//! A program that dies at each of its calls in turn, and is started again: [`crash_sweep`].

use super::decisions::Decisions;
use super::fault::Fault;
use super::replay::{self, ReplayError};
use super::search::{Found, Report, Search};
use crate::builder::Builder;
use crate::machine::Machine;

/// Lets a program die before each of its calls in turn, starts it again, and checks what it makes of what it finds: each time on
/// a fresh machine that `setup` prepares. `check` fails if it panics. The command is the program's path, and its arguments. It is
/// also run without a death, and then not again.
///
/// ```
/// use standin::{Backend, Errno, ExitCode, fs};
/// use standin_sim::{Machine, crash_sweep};
///
/// /// Makes a group and notes that it did; once only.
/// fn once(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
///     if !fs::exists(kernel, "/mnt/done") {
///         fs::create_dir(kernel, "/sys/fs/cgroup/web").unwrap();
///         fs::write(kernel, "/mnt/done", "").unwrap();
///     }
///     ExitCode::SUCCESS
/// }
///
/// let setup = |machine: &Machine| machine.program("/bin/once", once);
/// let found = crash_sweep(setup, &["/bin/once"], |_| ()).unwrap_err();
/// assert!(found.message().contains("EEXIST"), "{found}");
/// assert!(found.faults()[0].starts_with("/bin/once dies before open(\"/mnt/done\""), "{found}");
/// ```
///
/// # Errors
/// The failure, with the line that [`CrashSweep::replay`] runs again.
pub fn crash_sweep(
    setup: impl Fn(&Machine),
    command: &[&str],
    check: impl Fn(&Machine),
) -> Result<Report, Found> {
    CrashSweep::of(command).check(setup, check)
}

/// [`crash_sweep`] with its choices: on which machine, how many deaths, a line to run again.
#[derive(Clone, Debug)]
pub struct CrashSweep {
    command: Vec<String>,
    builder: Builder,
    most: u64,
    /// The one run that a line tells of.
    given: Option<Decisions>,
}

impl CrashSweep {
    /// Of the program at a path, with its arguments behind that.
    #[must_use]
    pub fn of(command: &[&str]) -> Self {
        let command = command.iter().map(ToString::to_string).collect();
        Self { command, builder: Builder::default(), most: 1, given: None }
    }

    /// On machines such as this; on one as [`Machine::builder`] describes it unless it is said.
    #[must_use]
    pub fn on(mut self, builder: Builder) -> Self {
        self.builder = builder;
        self
    }

    /// With so many deaths in a run at most: the program may die again when it was started again. One unless it is said.
    #[must_use]
    pub const fn deaths(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// The one run that a line of [`Found`] tells of, with the machine and deaths that it was found with.
    ///
    /// # Errors
    /// A line that is not whole, or is of another version or machine.
    pub fn replay(mut self, line: &str) -> Result<Self, ReplayError> {
        self.given = Some(replay::parse(line, &self.crashing())?);
        Ok(self)
    }

    /// As [`crash_sweep`].
    ///
    /// # Errors
    /// The failure, with the line that runs it again.
    ///
    /// # Panics
    /// Never: what panics in a run is the failure.
    pub fn check(
        &self,
        setup: impl Fn(&Machine),
        check: impl Fn(&Machine),
    ) -> Result<Report, Found> {
        let search = match &self.given {
            Some(decisions) => Search::given(decisions.clone()),
            None => Search::exhaustive(0),
        };
        let command: Vec<&str> = self.command.iter().map(String::as_str).collect();
        search.on(self.crashing()).check(|machine| {
            setup(machine);
            let deaths = || machine.shared().lock().faults.deaths();
            loop {
                let before = deaths();
                if let Err(failure) = machine.run_together(&[&command]) {
                    panic!("{}: {failure}", command.join(" "));
                }
                if deaths() == before {
                    break;
                }
            }
            check(machine);
        })
    }

    fn crashing(&self) -> Builder {
        let program = self.command.first().map_or("", String::as_str);
        let dies = Fault::dies().of(program).at_most(self.most).perhaps();
        self.builder.clone().fault(dies)
    }
}
