//! Searches for a Seqino record whose request was sent, but whose response was lost.

use super::{Client, generated::operations, types};
use crate::{
    transport::{Built, OperationSpec, perform_page},
    vocabulary::{Error, Provider},
    wire::List,
};
use serde::de::DeserializeOwned;

impl Client {
    /// Looks for the client with your reference after a lost response to `create_client`. A client with exactly this
    /// reference has priority. If there is none, blanks at the ends of a reference are ignored.
    ///
    /// # Errors
    /// The errors of `list_clients`. [`Decode`](crate::ErrorKind::Decode) if the list may be incomplete, because an
    /// empty result would then be uncertain. An incomplete list is no list, has an unreadable item, or lacks some
    /// clients.
    pub async fn find_client(&self, external_ref: &str) -> Result<Option<types::Client>, Error> {
        let request = self.list_clients().external_ref(external_ref).request();
        let found = self.list::<_, true>(&operations::LIST_CLIENTS, request).await?;
        let own = |client: &types::Client| client.external_ref.as_deref().map(str::to_owned);
        if let Some(client) = found.items.iter().find(|client| own(client).as_deref() == Some(external_ref)) {
            return Ok(Some(client.clone()));
        }
        let alike = |client: &&types::Client| own(client).is_some_and(|own| own.trim() == external_ref.trim());
        let mut alike_ones = found.items.iter().filter(alike);
        match (alike_ones.next(), alike_ones.next()) {
            (Some(client), None) => Ok(Some(client.clone())),
            (Some(_), Some(_)) => Err(found.refuse("the list has two clients with this external_ref".into())),
            (None, _) => {
                found.complete()?;
                match found.items.iter().position(|client| client.external_ref.is_none()) {
                    Some(item) => Err(found.refuse(format!("item {item} of the list: `external_ref` is not readable"))),
                    None => Ok(None),
                }
            }
        }
    }

    /// Looks for a client's mandates of one directory scope after a lost response to `create_mandate`. A mandate
    /// matches if it has the SIREN of `scope`, and each of the suffix, SIRET and routing identifier that `scope`
    /// contains. Seqino may have added those that `scope` lacks. Blanks and case are ignored. If you have created
    /// mandates of this scope before, compare `start_date` and `created_at`.
    ///
    /// # Errors
    /// The errors of `list_mandates`. [`Decode`](crate::ErrorKind::Decode) if the list may be incomplete. Such a
    /// response is no list, has an item that is unreadable or whose scope is unreadable, or lacks some mandates.
    pub async fn find_mandates(
        &self,
        client_id: &str,
        scope: &types::DirectoryEntry,
    ) -> Result<Vec<types::Mandate>, Error> {
        let request = self.list_mandates().x_pdp_client_id(client_id).request();
        let found = self.list::<types::Mandate, false>(&operations::LIST_MANDATES, request).await?;
        found.complete()?;
        if let Some(item) = found.items.iter().position(|mandate| mandate.directory_entry.is_none()) {
            return Err(found.refuse(format!("item {item} of the list: `directory_entry` is not readable")));
        }
        let within =
            |mandate: &types::Mandate| mandate.directory_entry.as_ref().is_some_and(|own| is_within(own, scope));
        Ok(found.items.into_iter().filter(within).collect())
    }

    async fn list<T: DeserializeOwned + Send + 'static, const ONE: bool>(
        &self,
        operation: &'static OperationSpec,
        request: Built,
    ) -> Result<Found<T, ONE>, Error> {
        let (items, pages): (List<T, ONE>, _) = perform_page(self, operation, request).await?;
        let more = pages.go_on_after(items.len() + items.unread().len());
        Ok(Found { operation, items, more })
    }
}

/// A list of records. `more` is true if the vendor has more records than the list contains.
struct Found<T, const ONE: bool> {
    operation: &'static OperationSpec,
    items: List<T, ONE>,
    more: bool,
}

impl<T, const ONE: bool> Found<T, ONE> {
    fn refuse(&self, what: String) -> Error {
        Error::decode(Provider::Seqino, self.operation.id, what)
    }

    /// Returns an error if the list may be incomplete, because the record that was looked for may then still exist.
    fn complete(&self) -> Result<(), Error> {
        if let Some(item) = self.items.unread().first() {
            return Err(self.refuse(format!("item {} of the list: {}", item.index, item.why)));
        }
        if !self.items.is_explicit() {
            return Err(self.refuse("the response is not a list, so the record may still exist".into()));
        }
        match self.more {
            true => Err(self.refuse("the record is not in the response, which announces further records".into())),
            false => Ok(()),
        }
    }
}

/// Returns true if `entry` can be the directory entry of `scope`. The comparison accepts too much on purpose. The
/// caller can remove an extra mandate, but would create a missed mandate a second time.
fn is_within(entry: &types::DirectoryEntry, scope: &types::DirectoryEntry) -> bool {
    let alike = |(own, given): (Option<&str>, Option<&str>)| {
        let given = given.map(plain).unwrap_or_default();
        given.is_empty() || own.is_some_and(|own| plain(own) == given)
    };
    plain(entry.siren.as_str()) == plain(scope.siren.as_str()) && parts(entry).into_iter().zip(parts(scope)).all(alike)
}

/// Normalizes an identifier such as a SIREN: removes blanks, uses lower case, and removes leading zeros, which a JSON
/// number would lose.
fn plain(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.trim_start_matches('0').into(),
        false => text,
    }
}

/// Returns the parts of a directory scope in addition to its SIREN.
fn parts(entry: &types::DirectoryEntry) -> [Option<&str>; 3] {
    let types::DirectoryEntry { suffix, siret, routing_identifier, .. } = entry;
    [
        suffix.as_ref().map(AsRef::as_ref),
        siret.as_ref().map(AsRef::as_ref),
        routing_identifier.as_ref().map(AsRef::as_ref),
    ]
}
