//! Container engines: which process a container's name stands for.
//!
//! [`Engines`] reads what the engines of a host keep on disk, and [`Index`] knows where, for who asks often; [`ContainerName`] is what somebody asks for, [`Container`]
//! what an engine says of one container. An engine is a row of the table in `table` and a reader of its own (`docker`);
//! `files` gives readers their files, and holds them below the engine's directory.
//!
//! This module believes what the records say. Whether a recorded process is still the container's is for its callers,
//! who hold the process; and it starts nothing: an engine whose state only a command can tell has no row.
//!
//! ```
//! use standin::engine::{ContainerName, Engine, Engines};
//! use standin::{Pid, fs};
//!
//! let machine = standin_sim::Machine::builder().build();
//! let root = machine.root();
//! let id = "4f0c".repeat(16);
//! fs::create_dir_all(&root, format!("/tmp/docker/containers/{id}")).unwrap();
//! fs::write(
//!     &root,
//!     format!("/tmp/docker/containers/{id}/config.v2.json"),
//!     r#"{"State":{"Running":true,"Pid":4711},"Name":"/shop-web-1"}"#,
//! )
//! .unwrap();
//!
//! let engines = Engines::none().with(Engine::Docker, "/tmp/docker".try_into().unwrap());
//! for asked in ["shop-web-1", "/shop-web-1", "4f", "docker:4f0c"] {
//!     let found = engines.find(&root, &ContainerName::new(asked).unwrap()).unwrap();
//!     assert_eq!((found.id.as_str(), found.pid), (id.as_str(), Some(Pid(4711))));
//! }
//! ```

mod container;
mod docker;
mod files;
mod find;
mod index;
mod name;
mod shelf;
mod table;

pub use container::{Container, ContainerState};
pub use find::{Engines, FindError};
pub use index::Index;
pub use name::{ContainerName, InvalidName};
pub use table::Engine;
