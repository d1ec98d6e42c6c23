//! A scenario's calls, done with standin::cgroup, and what each came to in the words of the C driver.

use std::collections::BTreeMap;

use standin::cgroup::{
    Code, Comparison, Deletion, Description, Error, GroupPath, Hierarchies, Members, Modes, Owner,
    Owners, Part, Result, Subsystem,
};
use standin::{Backend, Gid, Mode, Uid};

use crate::scenario::spelled;

/// What went on with each object.
pub(crate) struct Ours<'a> {
    kernel: &'a dyn Backend,
    hierarchies: Hierarchies,
    objects: BTreeMap<String, Description>,
}

/// A call's outcome: what it gave, or the number of the error and the errno behind it.
type Told = std::result::Result<String, String>;

fn told(error: &Error) -> String {
    match error.errno() {
        Some(errno) if error.code() == Code::OTHER => {
            format!("{} {}", error.code().number(), errno.raw())
        }
        _ => error.code().number().to_string(),
    }
}

fn done<T>(result: Result<T>) -> Told {
    result.map(|_| "0".to_owned()).map_err(|error| told(&error))
}

fn invalid() -> String {
    Code::INVALID.number().to_string()
}

impl<'a> Ours<'a> {
    pub(crate) fn new(kernel: &'a dyn Backend) -> Self {
        let hierarchies = Hierarchies::find(kernel).unwrap();
        Self { kernel, hierarchies, objects: BTreeMap::new() }
    }

    /// Does one call.
    pub(crate) fn call(&mut self, line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(spelled).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.try_call(&words).unwrap_or_else(|code| code)
    }

    fn try_call(&mut self, words: &[&str]) -> Told {
        let (kernel, hierarchies) = (self.kernel, self.hierarchies.clone());
        match *words {
            ["new", object, name] => Ok(match GroupPath::new(name) {
                Ok(path) => {
                    self.objects.insert(object.to_owned(), Description::new(path));
                    "object".to_owned()
                }
                Err(_) => "null".to_owned(),
            }),
            ["controller", object, name] => {
                let object = self.objects.get_mut(object);
                let added = object.zip(name.parse::<Subsystem>().ok()).map(|(to, it)| to.add(it));
                Ok(if added.is_some_and(|it| it.is_ok()) { "object" } else { "null" }.to_owned())
            }
            ["all", object] => done(self.find(object)?.add_all(kernel, &hierarchies)),
            ["clear", object] => {
                self.find(object)?.clear();
                Ok("done".to_owned())
            }
            ["create", object] => done(self.find(object)?.create(kernel, &hierarchies)),
            ["create", object, _] => {
                let mut description = self.find(object)?.clone();
                description.set_owners(Owners::default());
                description.set_modes(Modes::default());
                done(description.create(kernel, &hierarchies))
            }
            ["create_from_parent", object] => {
                let made = self.find(object)?.create_from_parent(kernel, &hierarchies);
                let made = made.map_err(|error| told(&error))?;
                if made.refused.is_empty() {
                    Ok("0".to_owned())
                } else {
                    Err(Code::NOT_EQUAL.number().to_string())
                }
            }
            ["modify", object] => done(self.find(object)?.modify(kernel, &hierarchies)),
            ["delete", object, flags] => {
                let flags: u32 = flags.parse().unwrap();
                let how = match (flags & 2 != 0, flags & 4 != 0) {
                    (true, true) => return Err(invalid()),
                    (true, false) => Deletion::new().members(Members::MoveUp).recursive(),
                    (false, true) => Deletion::new(),
                    (false, false) => Deletion::new().members(Members::MoveUp),
                };
                done(self.find(object)?.delete(kernel, &hierarchies, &how))
            }
            ["load", object] => {
                let path = self.find(object)?.path().clone();
                let loaded = Description::load(kernel, &hierarchies, &path);
                done(loaded.map(|loaded| self.objects.insert(object.to_owned(), loaded)))
            }
            ["copy", object, from] => {
                let from = self.find(from)?.clone();
                self.find(object)?.copy_from(&from);
                Ok("0".to_owned())
            }
            ["compare", object, other] => {
                let other = self.find(other)?.clone();
                let compared: Comparison = self.find(object)?.compare(&other);
                Ok(compared.code().map_or(0, Code::number).to_string())
            }
            ["compare_controllers", object, controller, other, other_controller] => {
                let other = self.part(other, other_controller)?.clone();
                let is_like = self.part(object, controller)?.is_like(&other);
                let differ = Code::CONTROLLER_NOT_EQUAL.number();
                Ok(if is_like { 0 } else { differ }.to_string())
            }
            ["procs", name, controller] => {
                let processes = || {
                    let hierarchy = hierarchies.of(kernel, &controller.parse()?)?;
                    hierarchy.open(kernel, &GroupPath::new(name)?)?.processes(kernel)
                };
                let processes = processes().map_err(|error| told(&error))?;
                let labels = processes.iter().map(|process| format!(" <{}>", process.0));
                Ok(format!("0{}", labels.collect::<String>()))
            }
            ["chmod", object, directories, files] => {
                let description = self.find(object)?;
                let (directories, files) = (mode(directories), mode(files));
                done(description.chmod_recursive(kernel, &hierarchies, directories, files))
            }
            _ => self.describe(words),
        }
    }

    /// A call about what is described, which no kernel hears of.
    fn describe(&mut self, words: &[&str]) -> Told {
        match *words {
            [add @ ("add" | "set"), object, controller, kind, file, text] => {
                let is_new = add == "add";
                let part = self.part(object, controller)?;
                done(match kind {
                    "string" => value(part, is_new, file, text),
                    "i64" => value(part, is_new, file, text.parse::<i64>().unwrap()),
                    "u64" => value(part, is_new, file, text.parse::<u64>().unwrap()),
                    _ => value(part, is_new, file, text == "true"),
                })
            }
            ["get", object, controller, kind, file] => {
                let content = self.part(object, controller)?.get(file);
                let said = content.and_then(|content| {
                    Ok(match kind {
                        "string" => content.text()?.to_owned(),
                        "i64" => content.number::<i64>()?.to_string(),
                        "u64" => content.number::<u64>()?.to_string(),
                        _ => content.flag()?.to_string(),
                    })
                });
                said.map(|said| format!("0 {said}")).map_err(|error| told(&error))
            }
            ["count", object, controller] => Ok(match self.part(object, controller) {
                Ok(part) => part.files().len().to_string(),
                Err(_) => "-1".to_owned(),
            }),
            ["own", object, members_user, members_group, user, group] => {
                let owner = |user: &str, group: &str| Owner {
                    user: user.parse().ok().map(Uid),
                    group: group.parse().ok().map(Gid),
                };
                let (control, members) = (owner(user, group), owner(members_user, members_group));
                self.find(object)?.set_owners(Owners { control, members });
                Ok("0".to_owned())
            }
            ["owners", object] => {
                let Owners { control, members } = self.find(object)?.owners();
                let said = |owner: Owner| {
                    let user = owner.user.map_or(-1, |user| i64::from(user.0));
                    let group = owner.group.map_or(-1, |group| i64::from(group.0));
                    format!("{user}:{group}")
                };
                Ok(format!("0 {} {}", said(members), said(control)))
            }
            ["allow", object, directory, files, members] => {
                let [directory, files, members] = [directory, files, members].map(mode);
                self.find(object)?.set_modes(Modes { directory, files, members });
                Ok("done".to_owned())
            }
            _ => panic!("no call: {words:?}"),
        }
    }

    fn find(&mut self, name: &str) -> std::result::Result<&mut Description, String> {
        // What the C library returns where there is no object.
        self.objects.get_mut(name).ok_or_else(|| Code::NOT_ALLOWED.number().to_string())
    }

    fn part(&mut self, object: &str, controller: &str) -> std::result::Result<&mut Part, String> {
        let subsystem = controller.parse::<Subsystem>().map_err(|_| invalid())?;
        self.find(object)?.part_mut(&subsystem).ok_or_else(invalid)
    }
}

fn value<V>(part: &mut Part, is_new: bool, file: &str, value: V) -> Result<()>
where
    V: TryInto<standin::cgroup::Value>,
    standin::cgroup::ValueError: From<V::Error>,
{
    if is_new { part.add(file, value) } else { part.set(file, value) }
}

/// Octal digits, or `-` for nothing.
fn mode(word: &str) -> Option<Mode> {
    u16::from_str_radix(word, 8).ok().map(Mode::new)
}
