//! The client reads or refuses any response of Easytransac. A response that the client reads is written as JSON without
//! loss.

use crate::round_trip::round_trip;
use mandat::{Mandate, Source, easytransac::types};

pub fn run(json: &[u8]) {
    round_trip::<types::GenerateTokenResponse>(json);
    round_trip::<types::InitOpenBankingResponse>(json);
    round_trip::<types::GetMandateStatusResponse>(json);
    round_trip::<types::GetTransactionStatusResponse>(json);
    round_trip::<types::Notification>(json);
    if let Some(created) = round_trip::<types::CreateMandateResponse>(json) {
        let mandate = Mandate::from(&created);
        assert_eq!((mandate.source, mandate.reference.id()), (Source::Created, created.data.mandate_id.as_str()));
    }
}
