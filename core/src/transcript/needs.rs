//! `# needs:` lines: where a script can run (spec, Actors, at the end).

use std::collections::BTreeSet;

use super::error::Complaint;

const NEEDS: &str = "# needs:";
const USAGE: &str = "# needs: vm, # needs: fresh or # needs: v1 CONTROLLER, one a line";

/// What a script asks of the place where it runs.
///
/// ```
/// let script = standin::transcript::parse(b"machine\n# needs: vm\n# needs: v1 pids\n")?;
/// let needs = script.needs();
/// assert!(needs.vm && !needs.fresh && needs.v1.contains("pids"));
/// # Ok::<(), standin::transcript::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// A virtual machine: it may not run on a host.
    pub vm: bool,
    /// A machine of its own.
    pub fresh: bool,
    /// These controllers as v1 hierarchies.
    pub v1: BTreeSet<String>,
}

impl Needs {
    /// Does the comment say a need?
    pub(super) fn is_in(comment: &str) -> bool {
        comment.starts_with(NEEDS)
    }

    /// Adds what the comment says; one that says no need adds nothing.
    pub(super) fn add(&mut self, comment: &str) -> Result<(), Complaint> {
        let Some(need) = comment.strip_prefix(NEEDS) else { return Ok(()) };
        let mut words = need.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("vm"), None, None) => self.vm = true,
            (Some("fresh"), None, None) => self.fresh = true,
            (Some("v1"), Some(controller), None) => {
                self.v1.insert(controller.to_owned());
            }
            _ => {
                let len = comment.len() - NEEDS.len();
                return Err(Complaint::new(NEEDS.len(), len, "this is not a need", USAGE));
            }
        }
        Ok(())
    }
}
