//! Searches for a transaction after a lost response.

use super::{Client, generated::operations, types};
use crate::vocabulary::{Error, ErrorKind, Provider};

impl Client {
    /// Looks for the transaction with your `orderId` after a lost response to `init_open_banking` or `debit_mandate`.
    ///
    /// **A result proves that the transaction exists**, with the amount of the request that created it. Check its
    /// status: it may be unpaid. **`None` proves nothing**: the vendor responded with 404, so it shows no transaction
    /// with this `orderId` now. It may register one later, and it is inferred that a debit takes an `orderId`. Look in
    /// the dashboard before you retry.
    ///
    /// # Errors
    /// Those of `get_transaction_status` except `NotFound`, and [`Decode`](ErrorKind::Decode) for a transaction with
    /// another `orderId` or with none.
    pub async fn find_transaction(&self, order_id: &str) -> Result<Option<types::Transaction>, Error> {
        match self.get_transaction_status().order_id(order_id).send().await {
            Ok(answer) if answer.data.order_id.as_deref().is_some_and(|own| own.trim() == order_id.trim()) => {
                Ok(Some(answer.data))
            }
            Ok(_) => {
                let what = "data.orderId is missing, or differs from the requested one";
                Err(Error::decode(Provider::Easytransac, operations::GET_TRANSACTION_STATUS.id, what))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}
