//! How to find out whether a write landed whose answer was lost.

use super::{Client, generated::operations, types};
use crate::{Error, Provider, wire::List};

impl Client {
    /// The client with this reference of yours, if there is one: whether a `create_client` landed.
    ///
    /// # Errors
    /// Those of `list_clients`, and [`Decode`](crate::ErrorKind::Decode) if an item cannot be read: it might be the one.
    pub async fn find_client(&self, external_ref: &str) -> Result<Option<types::Client>, Error> {
        let clients = self.list_clients().external_ref(external_ref).send().await?;
        let clients = all_read(operations::LIST_CLIENTS.id, clients.0)?;
        Ok(clients.into_iter().find(|client| client.external_ref == external_ref))
    }

    /// A client's mandates of one directory scope (SIREN, suffix, SIRET and routing identifier alike): whether a
    /// `create_mandate` landed. Compare `start_date` and `created_at` if you made others of that scope before.
    ///
    /// # Errors
    /// Those of `list_mandates`, and [`Decode`](crate::ErrorKind::Decode) if an item cannot be read: it might be the one.
    pub async fn find_mandates(
        &self,
        client_id: &str,
        scope: &types::DirectoryEntry,
    ) -> Result<Vec<types::Mandate>, Error> {
        let mandates = self.list_mandates().x_pdp_client_id(client_id).send().await?;
        let mandates = all_read(operations::LIST_MANDATES.id, mandates)?;
        Ok(mandates.into_iter().filter(|mandate| of(&mandate.directory_entry) == of(scope)).collect())
    }
}

/// What makes the scope of a directory entry.
fn of(entry: &types::DirectoryEntry) -> (&str, Option<&str>, Option<&str>, Option<&str>) {
    let types::DirectoryEntry { siren, suffix, siret, routing_identifier, .. } = entry;
    (siren.as_str(), suffix.as_deref(), siret.as_deref(), routing_identifier.as_deref())
}

fn all_read<T>(operation: &'static str, list: List<T>) -> Result<Vec<T>, Error> {
    match list.unread().first() {
        Some(item) => Err(Error::decode(Provider::Seqino, operation, format!("item {}: {}", item.index, item.why))),
        None => Ok(list.into_vec()),
    }
}
