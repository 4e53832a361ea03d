//! A request to a path that the spec of a vendor lacks.

use super::{
    Built, Draft, Effect, OperationSpec, Response, Vendor,
    call::{Call, Calling},
    path::template_fault,
};
use crate::vocabulary::Error;
use bytes::Bytes;
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// A request to a path that the spec lacks, such as a new operation of the vendor. The request has the credentials,
/// connections, limits, retries and errors of its client.
///
/// A request counts as a write, so it is sent once. State [`effect`](Self::effect) if it only reads or removes: the
/// crate then retries it.
///
/// ```no_run
/// # #[cfg(feature = "seqino")]
/// # async fn run(mandates: mandat::Mandates) -> Result<(), Box<dyn std::error::Error>> {
/// use mandat::{Effect, Method};
///
/// let request = mandates.seqino()?.raw(Method::GET, "/clients/{id}/notes").id("id", "client_abc123");
/// let response = request.effect(Effect::Read).query("page", "1").send().await?;
/// let notes: Vec<String> = response.json()?;
/// println!("HTTP {}: {} notes", response.http_status(), notes.len());
/// # Ok(())
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct RawRequest<'a> {
    method: Method,
    effect: Effect,
    draft: Draft,
    call: SendRaw<'a>,
}

type SendRaw<'a> = Box<dyn FnOnce(&'static OperationSpec, Built) -> Calling<'a, Response<RawBody>> + Send + 'a>;

/// `Debug` hides the path, which may contain personal data.
impl fmt::Debug for RawRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawRequest({}, {:?})", self.method, self.effect)
    }
}

/// The body of the response to a [`RawRequest`]. `Debug` shows only its length, because it may be personal data.
#[derive(Clone)]
pub struct RawBody(Bytes);

impl fmt::Debug for RawBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawBody({} bytes)", self.0.len())
    }
}

impl RawBody {
    /// The bytes of the body.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes of the body.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// An error if the body is not JSON of this type. Its text can quote a value of the body, which may be personal
    /// data.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0)
    }
}

/// The headers that the crate or the HTTP library sets. Another value could change where a request ends.
const OWN: [&str; 16] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The operations of raw requests, by method and effect. A call needs an operation that outlives it.
static OPERATIONS: [[OperationSpec; 3]; 5] = [of("GET"), of("POST"), of("PUT"), of("PATCH"), of("DELETE")];

const fn of(method: &'static str) -> [OperationSpec; 3] {
    [operation(method, Effect::Read), operation(method, Effect::Write), operation(method, Effect::Removal)]
}

const fn operation(method: &'static str, effect: Effect) -> OperationSpec {
    OperationSpec {
        id: "raw",
        method,
        // A trace shows this path. The path of the caller may contain an id.
        path: "",
        outside: None,
        effect,
        authenticated: true,
        document: false,
        code: "2XX",
        lost_answer: "look for the record of this request at the vendor, before you send the request again",
        answer: &[("", "any", false)],
        repeats: &[],
    }
}

impl<'a> RawRequest<'a> {
    pub(crate) fn new<V: Vendor>(vendor: &'a V, method: Method, path: String) -> Self {
        let mut draft = Draft::at(vendor, &OPERATIONS[0][1], path.into());
        draft.fault(template_fault(&draft.template).map(|fault| format!("the path {fault}")));
        let call = move |operation: &'static OperationSpec, request: Built| {
            Call { vendor, operation }.call(request, move |answer| match &answer.unclear {
                // The vendor states the success of every operation in the body. Without this statement the outcome of a
                // write is unknown.
                Some(why) if operation.effect != Effect::Read => Err(answer.undecodable(operation, why.clone())),
                _ => Ok(Response::new(answer.status, answer.headers, RawBody(answer.body))),
            })
        };
        Self { method, effect: Effect::Write, draft, call: Box::new(call) }
    }

    /// States the effect of the request, which decides about its retries: see [`Effect`].
    pub fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// Sets the id in place of `{name}` in the path. The id is encoded, and an id that could change the path is
    /// refused.
    pub fn id(mut self, name: &str, id: impl Into<String>) -> Self {
        let parameter = |part: &str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) == Some(name);
        let known = self.draft.template.split('/').any(parameter);
        self.draft.fault((!known).then(|| "the path has no parameter of this name".into()));
        self.draft = self.draft.path(name, "id", Ok(id.into()));
        self
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.draft = self.draft.query(name, Ok(Some(value.into())));
        self
    }

    /// Adds a header, such as Seqino's `X-PDP-Client-Id`. The crate sets the headers of credentials, of the connection
    /// and of the body, and refuses them here.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        let own = OWN.iter().any(|own| own.eq_ignore_ascii_case(name));
        self.draft.fault(own.then(|| format!("the crate sets the header `{}` itself", name.to_lowercase())));
        self.draft = self.draft.header(name, "header", Ok(Some(value.into())));
        self
    }

    /// Sets a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.draft = self.draft.json(Ok(body));
        self
    }

    /// Sets a body of another media type, such as `text/csv`.
    pub fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        match HeaderValue::try_from(media_type) {
            Ok(media_type) => drop(self.draft.headers.insert(CONTENT_TYPE, media_type)),
            Err(_) => self.draft.fault(Some("the media type has a character that HTTP does not allow".into())),
        }
        self.draft.body = Some(body.into());
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// An [`Error`], as every call has it. A write or a removal fails with [`Decode`](crate::ErrorKind::Decode) if the
    /// vendor states success in each body, and this body does not.
    pub async fn send(self) -> Result<Response<RawBody>, Error> {
        let Self { method, effect, mut draft, call } = self;
        let all = || OPERATIONS.iter().flatten();
        match all().find(|operation| operation.method == method.as_str() && operation.effect == effect) {
            Some(operation) => draft.operation = operation,
            None => draft.fault(Some("the method is none of GET, POST, PUT, PATCH and DELETE".into())),
        }
        let unset = draft.path.contains('{') && template_fault(&draft.template).is_none();
        draft.fault(unset.then(|| "a parameter of the path has no value. Set it with `id`".into()));
        call(draft.operation, draft.build()).await
    }
}

/// Defines the method for raw requests of every vendor's `Client`.
macro_rules! raw_method {
    () => {
        /// Starts a request to a path that the spec lacks. The path is relative to the base URL and begins with `/`.
        /// Write each id as a parameter, such as `/clients/{id}`, and set it with [`id`](crate::RawRequest::id).
        pub fn raw(&self, method: reqwest::Method, path: impl Into<String>) -> crate::RawRequest<'_> {
            crate::RawRequest::new(self, method, path.into())
        }
    };
}
pub(crate) use raw_method;
