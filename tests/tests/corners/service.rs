//! PCP's privileged collector service: containers, a server and its clients, each a process of its own, on the machine
//! and on this host; and on this host PCP's own client in our client's place.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is how what is shown here fails"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use standin::Backend;
use standin_linux::{Linux, Registry};
use standin_sim::Machine;
use standin_tests::fixtures::workspace;

use crate::Corner;

mod bad;
mod programs;
mod scene;

use programs::PROGRAMS;
use scene::{DB_HOST, Scene, WEB_HOST, WEB_ID};

pub(crate) fn corners() -> Vec<Corner> {
    let corner = |name, missing, show| Corner { name, missing, show };
    let root = || (!is_root()).then(|| "needs root".to_owned());
    vec![
        corner("service: a client asks a server on the machine", None, || {
            on_machine(|kernel, dir| scene::lookups(&mut Scene::begin(kernel, dir)));
        }),
        corner("service: bad clients on the machine", None, || {
            on_machine(|kernel, dir| bad::clients(&Scene::begin(kernel, dir)));
        }),
        corner("service: bad servers on the machine", None, || on_machine(bad::servers)),
        corner("service: a client asks a server on this host", root(), || {
            on_host(|kernel, dir| scene::lookups(&mut Scene::begin(kernel, dir)));
        }),
        corner("service: bad clients on this host", root(), || {
            on_host(|kernel, dir| bad::clients(&Scene::begin(kernel, dir)));
        }),
        corner("service: bad servers on this host", root(), || on_host(bad::servers)),
        corner(
            "service: PCP's client asks our server on this host",
            root().or_else(|| (!has_pcp()).then(|| "needs cc and libpcp-pmda3-dev".to_owned())),
            || on_host(|kernel, dir| pcp_client(&mut Scene::begin(kernel, dir), Path::new(dir))),
        ),
    ]
}

/// The programs that the host's registry must have.
pub(crate) fn register(registry: Registry) -> Registry {
    PROGRAMS.into_iter().fold(registry, |registry, (path, run)| registry.program(path, run))
}

/// Whether the test runs as root, which can't be seen in a process that was started to be something else.
fn is_root() -> bool {
    use standin::backend::Processes as _;
    Linux::here().credentials().is_ok_and(|own| own.user.effective == standin::Uid::ROOT)
}

fn has_pcp() -> bool {
    let answers =
        Command::new("cc").arg("--version").output().is_ok_and(|out| out.status.success());
    answers && Path::new("/usr/include/pcp/pmda.h").exists()
}

/// A directory of the host's that ends with its owner.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("standin-service-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn on_machine(show: impl FnOnce(&dyn Backend, &str)) {
    let machine = Machine::builder().build();
    for (path, run) in PROGRAMS {
        machine.program(path, run);
    }
    show(&machine.root(), "/tmp");
    machine.finish().unwrap();
}

fn on_host(show: impl FnOnce(&dyn Backend, &str)) {
    let dir = TempDir::new();
    show(&Linux::here(), dir.0.to_str().expect("a path of this test's"));
}

/// PCP's library gets the same answers as our client, as its own server would give them.
fn pcp_client(scene: &mut Scene<'_>, dir: &Path) {
    let client = dir.join("pmda_root_client");
    let built = Command::new("cc")
        .args(["-Wall", "-Werror", "-o"])
        .arg(&client)
        .arg(workspace().join("tests/peers/pmda_root_client.c"))
        .args(["-lpcp_pmda", "-lpcp"])
        .output()
        .expect("cc starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let socket = scene.socket();
    let ask = |questions: &[&str]| {
        let words = questions.iter().flat_map(|question| question.split(' '));
        let out = Command::new(&client).arg(&socket).args(words).output().expect("it starts");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let (web, db) = (scene.pid("web"), scene.pid("db"));
    let by_id = format!("pid {WEB_ID}");
    let answers = ask(&[
        "hostname web",
        "pid web",
        "hostname db",
        "hostname /web",
        "pid db",
        &by_id,
        "pid 4f0",
        "pid docker:web",
        "pid 4f",
        "pid old",
        "hostname old",
        "pid nosuch",
        "hostname nosuch",
        "pid web",
    ]);
    // The length, and the name; or a process; or PM_ERR_NOCONTAINER, -ENOENT (it has no process), -ENOTUNIQ.
    let expected = [
        format!("hostname web: {} {WEB_HOST}", WEB_HOST.len()),
        format!("pid web: {web}"),
        format!("hostname db: {} {DB_HOST}", DB_HOST.len()),
        format!("hostname /web: {} {WEB_HOST}", WEB_HOST.len()),
        format!("pid db: {db}"),
        format!("{by_id}: {web}"),
        format!("pid 4f0: {web}"),
        format!("pid docker:web: {web}"),
        "pid 4f: -76".to_owned(),
        "pid old: -2".to_owned(),
        "hostname old: -2".to_owned(),
        "pid nosuch: -12399".to_owned(),
        "hostname nosuch: -12399".to_owned(),
        format!("pid web: {web}"),
    ];
    assert_eq!(answers.lines().collect::<Vec<_>>(), expected);
    // What this service has not ends the connection: the library says -EINVAL, then a bare -1.
    assert_eq!(ask(&["cgroup web", "pid web"]), "cgroup web: -22\npid web: -1\n");
    scene.kill("web");
    assert_eq!(ask(&["pid web", "hostname web"]), "pid web: -2\nhostname web: -2\n");
    scene.end();
    assert_eq!(ask(&["pid web"]), "connect: -1\n");
}
