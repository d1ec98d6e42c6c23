//! Containers by their names, from records on the machine's disk.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use standin::engine::{ContainerName, ContainerState, Engine, Engines, FindError};
use standin::{Errno, Failure, KPath, Pid, Place, fs};
use standin_sim::{Machine, View};

const WEB: &str = "1a00000000000000000000000000000000000000000000000000000000000011";
const DB: &str = "1a2bcc0000000000000000000000000000000000000000000000000000000022";
const STOPPED: &str = "77dd000000000000000000000000000000000000000000000000000000000033";

fn write(kernel: &View, id: &str, file: &str, record: &str) {
    fs::create_dir_all(kernel, format!("/tmp/docker/containers/{id}")).unwrap();
    fs::write(kernel, format!("/tmp/docker/containers/{id}/{file}"), record).unwrap();
}

fn running(name: &str, pid: u32) -> String {
    format!(r#"{{"State":{{"Running":true,"Pid":{pid}}},"Name":"/{name}"}}"#)
}

/// Three containers: `web` is process 10, `db` 20, `stopped` none.
fn host() -> Machine {
    let machine = Machine::builder().build();
    let root = machine.root();
    write(&root, WEB, "config.v2.json", &running("web", 10));
    write(&root, DB, "config.v2.json", &running("db", 20));
    let stopped = r#"{"State":{"Running":false,"Pid":0},"Name":"/stopped"}"#;
    write(&root, STOPPED, "config.v2.json", stopped);
    machine
}

fn engines() -> Engines {
    Engines::none().with(Engine::Docker, "/tmp/docker".try_into().unwrap())
}

/// The id of what is found, or why none is.
fn find(kernel: &View, name: &str) -> Result<String, String> {
    let name = ContainerName::new(name).unwrap();
    match engines().find(kernel, &name) {
        Ok(container) => Ok(container.id),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn an_id_goes_before_a_name_and_a_name_before_the_beginning_of_an_id() {
    let machine = host();
    let root = machine.root();
    let none = |name: &str| Err(format!("no container is called {name}"));
    let longer = format!("{WEB}0");
    for (name, found) in [
        ("web", Ok(WEB.to_owned())),
        ("/web", Ok(WEB.to_owned())),
        ("docker:web", Ok(WEB.to_owned())),
        ("docker:/web", Ok(WEB.to_owned())),
        ("db", Ok(DB.to_owned())),
        ("stopped", Ok(STOPPED.to_owned())),
        (WEB, Ok(WEB.to_owned())),
        ("1a0", Ok(WEB.to_owned())),
        ("7", Ok(STOPPED.to_owned())),
        ("WEB", none("WEB")),
        ("we", none("we")),
        ("/1a0", none("/1a0")),
        ("1a2c", none("1a2c")),
        ("1a2bzzz", none("1a2bzzz")),
        ("1A0", none("1A0")),
        (&longer, none(&longer)),
        ("9", none("9")),
        ("1a", Err(format!("1a may be docker:{WEB} or docker:{DB}: say more of the id"))),
    ] {
        assert_eq!(find(&root, name), found, "{name}");
    }
    // A name that looks like the beginning of another's id is the name.
    write(&root, STOPPED, "config.v2.json", &running("1a2b", 30));
    assert_eq!(find(&root, "1a2b"), Ok(STOPPED.to_owned()));
    machine.finish().unwrap();
}

#[test]
fn two_containers_of_one_name_are_not_told_apart_by_luck() {
    let machine = host();
    let root = machine.root();
    write(&root, DB, "config.v2.json", &running("web", 20));
    let both = format!("web may be docker:{WEB} or docker:{DB}: say more of the id");
    assert_eq!(find(&root, "web"), Err(both));
    assert_eq!(find(&root, "1a2"), Ok(DB.to_owned()));
    machine.finish().unwrap();
}

#[test]
fn a_removed_container_s_id_leads_nowhere() {
    let machine = host();
    let root = machine.root();
    fs::remove_file(&root, format!("/tmp/docker/containers/{DB}/config.v2.json")).unwrap();
    assert_eq!(find(&root, DB), Err(format!("no container is called {DB}")));
    fs::remove_dir(&root, format!("/tmp/docker/containers/{DB}")).unwrap();
    for name in [DB, "db", "1a2b"] {
        assert_eq!(find(&root, name), Err(format!("no container is called {name}")));
    }
    machine.finish().unwrap();
}

#[test]
fn a_state_has_a_process_if_it_runs_or_is_paused() {
    let machine = host();
    let root = machine.root();
    for (state, expected, pid) in [
        (r#"{"Running":true,"Pid":7}"#, ContainerState::Running, Some(7)),
        (r#"{"Running":true,"Paused":true,"Pid":7}"#, ContainerState::Paused, Some(7)),
        (r#"{"Running":true,"Restarting":true,"Pid":0}"#, ContainerState::Restarting, None),
        (r#"{"Running":true,"Pid":0}"#, ContainerState::Running, None),
        (r#"{"Running":true}"#, ContainerState::Running, None),
        (r#"{"Running":false,"Pid":7}"#, ContainerState::Stopped, None),
        ("null", ContainerState::Stopped, None),
    ] {
        let record = format!(r#"{{"Name":"/web","State":{state},"Config":{{"Hostname":"x"}}}}"#);
        write(&root, WEB, "config.v2.json", &record);
        let found = engines().find(&root, &ContainerName::new("web").unwrap()).unwrap();
        assert_eq!((found.state, found.pid), (expected, pid.map(Pid)), "{state}");
        assert_eq!(found.names, ["web"]);
    }
    machine.finish().unwrap();
}

#[test]
fn records_of_old_engines_have_another_file_name() {
    let machine = host();
    let root = machine.root();
    let id = "f".repeat(64);
    write(&root, &id, "config.json", &running("old", 40));
    assert_eq!(find(&root, "old"), Ok(id));
    machine.finish().unwrap();
}

#[test]
fn a_damaged_record_is_named_where_it_would_decide() {
    let machine = host();
    let root = machine.root();
    let path = format!("/tmp/docker/containers/{DB}/config.v2.json");
    let whole = running("db", 20);
    let huge = format!("{whole}{}", " ".repeat(1 << 20));
    for (record, why) in [
        (whole.get(..whole.len() / 2).unwrap(), "no JSON: EOF"),
        ("", "no JSON: EOF"),
        ("[]", "no JSON object"),
        (r#"{"State":{"Pid":"20"},"Name":"/db"}"#, "State.Pid is \"20\": no process id"),
        (r#"{"State":{"Pid":-1},"Name":"/db"}"#, "State.Pid is -1: no process id"),
        (r#"{"State":{"Pid":4294967296},"Name":"/db"}"#, "State.Pid is 4294967296"),
        (&huge, "longer than 1048576 bytes"),
    ] {
        write(&root, DB, "config.v2.json", record);
        for name in ["db", DB, "nosuch", "77"] {
            let told = find(&root, name).unwrap_err();
            assert!(told.starts_with(&format!("{path}: {why}")), "{name}: {told}");
        }
        // It can be none of these.
        assert_eq!(find(&root, "web"), Ok(WEB.to_owned()));
        assert_eq!(find(&root, STOPPED), Ok(STOPPED.to_owned()));
    }
    machine.finish().unwrap();
}

#[test]
fn a_record_that_leads_out_of_its_engine_s_directory_is_not_read() {
    let machine = host();
    let root = machine.root();
    fs::write(&root, "/tmp/elsewhere", running("db", 1)).unwrap();
    let path = format!("/tmp/docker/containers/{DB}/config.v2.json");
    fs::remove_file(&root, &path).unwrap();
    let [target, link] = [b"/tmp/elsewhere".as_slice(), path.as_bytes()];
    let [target, link] = [target, link].map(|path| KPath::new(path).unwrap());
    standin::backend::Files::symlink(&root, target, Place::cwd(link)).unwrap();
    let refused = engines().find(&root, &ContainerName::new(DB).unwrap()).unwrap_err();
    assert!(
        matches!(&refused, FindError::Failed { failure: Failure::Errno(Errno::ELOOP), .. }),
        "{refused}"
    );
    machine.finish().unwrap();
}

#[test]
fn an_engine_that_was_never_here_has_no_containers_and_one_that_is_shut_says_so() {
    let machine = host();
    let name = ContainerName::new("web").unwrap();
    let usual = Engines::usual().find(&machine.root(), &name);
    assert_eq!(usual, Err(FindError::NotFound { name: name.clone() }));
    fs::set_permissions(&machine.root(), "/tmp/docker", standin::Mode::new(0o710)).unwrap();
    let refused = engines().find(&machine.user(1000), &name).unwrap_err();
    assert_eq!(refused.to_string(), "open /tmp/docker: EACCES");
    machine.finish().unwrap();
}

#[test]
fn what_is_no_container_s_directory_is_not_looked_into() {
    let machine = host();
    let root = machine.root();
    for name in ["short", ".tmp", &"G".repeat(64), &"a".repeat(65)] {
        write(&root, name, "config.v2.json", "damaged");
    }
    fs::write(&root, format!("/tmp/docker/containers/{}", "e".repeat(64)), "a file").unwrap();
    assert_eq!(find(&root, "nosuch"), Err("no container is called nosuch".to_owned()));
    machine.finish().unwrap();
}
