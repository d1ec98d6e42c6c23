//! Where scripts are made for: the hierarchies of a layout, and the tables that scripts for it are made of.

use standin::Controller;
use standin::transcript::{Layout, Release};

use super::template::{self, Theme};
use super::template_v1;
use crate::lab::record::Place;

/// Where all hierarchies are.
const ALL: &str = "/sys/fs/cgroup";

/// Controllers that kernels have not in v1, of all that some have.
const MISSING: [(Release, &[Controller]); 2] = [
    (Release::V6_1, &[Controller::Dmem]),
    (Release::V6_12, &[Controller::Dmem, Controller::Cpuset, Controller::Memory]),
];

/// How the v2 hierarchy is called.
pub(super) const V2: &str = "unified";

/// A hierarchy.
#[derive(Debug, Clone)]
pub(super) struct Hierarchy {
    pub(super) name: &'static str,
    pub(super) root: String,
    pub(super) is_v1: bool,
}

impl Hierarchy {
    /// Whether a group is below the root.
    pub(super) fn is_above(&self, group: &str) -> bool {
        group.strip_prefix(self.root.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// How often in which themes, and a line.
type Lines = &'static [(usize, &'static [Theme], &'static str)];

/// What may stand in a slot, by its name.
type Words = &'static [(&'static str, &'static [&'static str])];

/// What scripts are made of.
#[derive(Debug)]
pub(super) struct Tables {
    /// How often, which, and controllers whose settings are tried (so many of these).
    pub(super) themes: &'static [(usize, Theme, usize)],
    /// Controllers, as often as each is tried.
    pub(super) focus: &'static [&'static str],
    /// What members and loads are tried with besides.
    pub(super) besides: &'static [(Theme, &'static str)],
    pub(super) templates: Lines,
    pub(super) beginnings: Lines,
    /// The first that has a slot counts.
    pub(super) words: &'static [Words],
    pub(super) left_out: &'static [&'static [(&'static str, &'static str)]],
}

const UNIFIED: Tables = Tables {
    themes: template::THEMES,
    focus: template::FOCUS,
    besides: &[(Theme::Members, "pids"), (Theme::Delegation, "pids"), (Theme::Load, "memory")],
    templates: template::TEMPLATES,
    beginnings: template::BEGINNINGS,
    words: &[template::WORDS],
    left_out: &[template::LEFT_OUT],
};

const WITH_V1: Tables = Tables {
    themes: template_v1::THEMES,
    focus: template_v1::FOCUS,
    besides: &[(Theme::Members, "freezer"), (Theme::Members, "pids"), (Theme::Delegation, "pids")],
    templates: template_v1::TEMPLATES,
    beginnings: template_v1::BEGINNINGS,
    words: &[template_v1::WORDS, template::WORDS],
    left_out: &[template_v1::LEFT_OUT, template::LEFT_OUT],
};

/// See the module.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) hierarchies: Vec<Hierarchy>,
    pub(super) tables: &'static Tables,
}

impl Ground {
    pub(super) fn of(place: Place) -> Self {
        let v2 = |root: String| Hierarchy { name: V2, root, is_v1: false };
        if place.layout == Layout::Unified {
            return Self { hierarchies: vec![v2(ALL.to_owned())], tables: &UNIFIED };
        }
        let is_missing = |controller: &Controller| {
            MISSING.iter().any(|(kernel, all)| *kernel == place.kernel && all.contains(controller))
        };
        let v1 = Controller::ALL.iter().filter(|controller| !is_missing(controller));
        let v1 = v1.map(|controller| controller.v1_name());
        let mut hierarchies: Vec<Hierarchy> =
            v1.map(|name| Hierarchy { name, root: format!("{ALL}/{name}"), is_v1: true }).collect();
        if place.layout == Layout::Hybrid {
            hierarchies.push(v2(format!("{ALL}/{V2}")));
        }
        Self { hierarchies, tables: &WITH_V1 }
    }

    /// Whether scripts may be about a controller, or the v2 hierarchy.
    pub(super) fn has(&self, word: &str) -> bool {
        let is_plain = self.hierarchies.iter().all(|hierarchy| !hierarchy.is_v1);
        is_plain || self.named(word).is_some()
    }

    /// The place of the hierarchy with this name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.hierarchies.iter().position(|hierarchy| hierarchy.name == name)
    }
}
