//! The client reads or refuses any response of SafeDebit. A response that the client reads is written as JSON without
//! loss.

use crate::round_trip::round_trip;
use mandat::{Mandate, Source, safedebit::types};

pub fn run(json: &[u8]) {
    round_trip::<types::Done>(json);
    round_trip::<types::CancelOrderResponse>(json);
    round_trip::<types::CancelSddBatchResponse>(json);
    round_trip::<types::CreateBeneficiaryResponse>(json);
    round_trip::<types::CreateConsumerResponse>(json);
    round_trip::<types::EditSddResponse>(json);
    round_trip::<types::GetAvailableFilesResponse>(json);
    round_trip::<types::InitiateBeneficiaryResponse>(json);
    round_trip::<types::InitiateTransferResponse>(json);
    round_trip::<types::PaymentResponse>(json);
    round_trip::<types::SearchConsumerResponse>(json);
    round_trip::<types::SearchControlResponse>(json);
    round_trip::<types::SearchMandateResponse>(json);
    round_trip::<types::SearchPaymentResponse>(json);
    round_trip::<types::SecureResponse>(json);
    round_trip::<types::SecureConsumerResponse>(json);
    round_trip::<types::UploadFileResponse>(json);
    round_trip::<types::ValidatePaymentResponse>(json);
    round_trip::<types::DownloadArchiveFileResponse>(json);
    round_trip::<types::DownloadMandateFileResponse>(json);
    if let Some(created) = round_trip::<types::CreateMandateResponse>(json) {
        let mandate = Mandate::from(&created);
        assert_eq!((mandate.source, mandate.reference.id()), (Source::Created, created.umr.as_str()));
    }
}
