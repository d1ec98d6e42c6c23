//! The documents inside messages: the envelope of requests and replies, and the acknowledgement.
//!
//! Pure (pacemaker-ipc, 6.1 and 7). What stands inside an envelope belongs to the daemon that it is for.

use std::fmt;

use super::error::Malformed;
use super::xml::Element;

/// The feature set of Pacemaker 2.1.5, whose form of the documents is written here.
const FEATURE_SET: &str = "3.16.1";

/// How a daemon took a request, as its acknowledgement says it: one of Pacemaker's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status(pub u8);

impl Status {
    /// Done.
    pub const OK: Self = Self(0);
    /// A task that the daemon does not know.
    pub const UNKNOWN_TASK: Self = Self(2);
    /// A message that cannot be read.
    pub const PROTOCOL: Self = Self(76);
    /// Accepted: the reply follows as an event.
    pub const REPLY_FOLLOWS: Self = Self(112);
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

/// The acknowledgement that a daemon sends to whoever waits for one; `function` is a hint for people.
#[must_use]
pub fn ack(function: &str, status: Status) -> Element {
    Element::new("ack")
        .with("function", function)
        .with("line", "0")
        .with("status", &status.to_string())
}

/// What an acknowledgement says; nothing if the document is none.
#[must_use]
pub fn acked(document: &Element) -> Option<Status> {
    if document.name() != "ack" {
        return None;
    }
    document.attribute("status")?.parse().ok().map(Status)
}

/// Who asks whom for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `t`: which protocol; daemons of 2.1 have `crmd` here.
    pub message_type: String,
    /// Request or response.
    pub kind: EnvelopeKind,
    /// Joins a reply to its request.
    pub reference: String,
    /// `crm_task`
    pub task: String,
    /// `crm_sys_to`
    pub to: Option<String>,
    /// `crm_sys_from`
    pub from: Option<String>,
    /// What it carries.
    pub data: Option<Element>,
}

/// Which way an envelope goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// To a daemon.
    Request,
    /// From one.
    Response,
}

impl EnvelopeKind {
    /// The root element as Pacemaker 2.1 names it, and `subt`.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Request => ("create_request_adv", "request"),
            Self::Response => ("create_reply_adv", "response"),
        }
    }
}

impl Envelope {
    /// A request of `task` from a client to a daemon. `reference` is anything that no other request of this client has.
    #[must_use]
    pub fn request(task: &str, to: &str, from: &str, reference: &str) -> Self {
        Self {
            message_type: "crmd".to_owned(),
            kind: EnvelopeKind::Request,
            reference: reference.to_owned(),
            task: task.to_owned(),
            to: Some(to.to_owned()),
            from: Some(from.to_owned()),
            data: None,
        }
    }

    /// The reply to this request.
    #[must_use]
    pub fn reply(&self, data: Element) -> Self {
        Self {
            kind: EnvelopeKind::Response,
            to: self.from.clone(),
            from: self.to.clone(),
            data: Some(data),
            ..self.clone()
        }
    }

    /// As a document.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let (root, kind) = self.kind.names();
        let mut element = Element::new(root)
            .with("origin", "standin")
            .with("t", &self.message_type)
            .with("version", FEATURE_SET)
            .with("subt", kind)
            .with("reference", &self.reference)
            .with("crm_task", &self.task);
        for (attribute, value) in [("crm_sys_to", &self.to), ("crm_sys_from", &self.from)] {
            if let Some(value) = value {
                element = element.with(attribute, value);
            }
        }
        match &self.data {
            Some(data) => element.with_child(Element::new("crm_xml").with_child(data.clone())),
            None => element,
        }
    }

    /// Reads one. The root's name is of no importance: daemons of 2.1 and 3 write different ones.
    ///
    /// # Errors
    /// [`Malformed::Missing`] if it lacks its type, direction, reference or task.
    pub fn from_element(element: &Element) -> Result<Self, Malformed> {
        let needed = |attribute| match element.attribute(attribute) {
            Some(value) if !value.is_empty() => Ok(value.to_owned()),
            _ => Err(Malformed::Missing { element: element.name().to_owned(), attribute }),
        };
        let optional = |attribute| element.attribute(attribute).map(str::to_owned);
        let kind = match needed("subt")?.as_str() {
            "request" => EnvelopeKind::Request,
            "response" => EnvelopeKind::Response,
            _ => {
                let element = element.name().to_owned();
                return Err(Malformed::Missing { element, attribute: "subt request or response" });
            }
        };
        let data = element.child("crm_xml").and_then(|data| data.children().first());
        Ok(Self {
            message_type: needed("t")?,
            kind,
            reference: needed("reference")?,
            task: needed("crm_task")?,
            to: optional("crm_sys_to"),
            from: optional("crm_sys_from"),
            data: data.cloned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Envelope, EnvelopeKind, Status, ack, acked};
    use crate::ipc::error::Malformed;
    use crate::ipc::xml::Element;

    #[test]
    fn a_reply_has_the_request_s_reference_and_goes_the_other_way() {
        let request = Envelope::request("ping", "pacemakerd", "1_demo", "ping-demo-1-0");
        let reply = request.reply(Element::new("ping_response"));
        let read = Envelope::from_element(&reply.to_element()).unwrap();
        assert_eq!(read, reply);
        assert_eq!((read.kind, read.reference.as_str()), (EnvelopeKind::Response, "ping-demo-1-0"));
        assert_eq!(
            (read.to.as_deref(), read.from.as_deref()),
            (Some("1_demo"), Some("pacemakerd"))
        );
    }

    #[test]
    fn an_envelope_without_a_task_or_a_direction_is_none() {
        let missing = |text: &str| {
            Envelope::from_element(&Element::parse(text.as_bytes()).unwrap()).unwrap_err()
        };
        let wants = |attribute| Malformed::Missing { element: "m".to_owned(), attribute };
        assert_eq!(missing("<m/>"), wants("subt"));
        assert_eq!(missing("<m subt='x'/>"), wants("subt request or response"));
        assert_eq!(
            missing("<m subt='request' t='crmd' reference='1' crm_task=''/>"),
            wants("crm_task")
        );
    }

    #[test]
    fn an_acknowledgement_says_how_a_request_was_taken() {
        assert_eq!(acked(&ack("f", Status::REPLY_FOLLOWS)), Some(Status(112)));
        assert_eq!(acked(&Element::new("ack").with("status", "none")), None);
        assert_eq!(acked(&Element::new("reply").with("status", "0")), None);
    }
}
