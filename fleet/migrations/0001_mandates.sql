-- The tables of mandat-fleet. Each column name of a stored state is that of `StoredState::COLUMNS`.

-- One account at one vendor, with the calls that it may receive in a second. Lanes divide the account.
CREATE TABLE account (
    account text NOT NULL CHECK (account ~ '^[a-z][a-z0-9_]{0,30}$'),
    vendor text NOT NULL,
    -- Null: no limit.
    rate integer CHECK (rate > 0),
    lanes integer NOT NULL CHECK (lanes > 0 AND (rate IS NULL OR lanes <= rate)),
    -- The first success. Until then only one lane sends requests, so that a wrong password is sent once.
    accepted_at timestamptz,
    -- The time at which the vendor refused the caller. No lane sends requests until somebody resumes the account.
    refused_at timestamptz,
    -- No lane starts before this time, because the rate or the number of lanes is being changed.
    closed_until timestamptz NOT NULL DEFAULT 'epoch',
    PRIMARY KEY (account, vendor)
);

-- A lane has a share of the rate. At most one worker holds a lane.
CREATE TABLE lane (
    account text NOT NULL,
    vendor text NOT NULL,
    lane integer NOT NULL,
    -- The job that holds the lane, and the time from which another job may take the lane.
    holder text,
    free_at timestamptz NOT NULL DEFAULT 'epoch',
    PRIMARY KEY (account, vendor, lane),
    FOREIGN KEY (account, vendor) REFERENCES account ON DELETE CASCADE
);

CREATE TABLE mandate (
    account text NOT NULL,
    reference text NOT NULL,
    vendor text NOT NULL,
    -- Seqino's client. One call reads all mandates of a client.
    client text,
    lane integer NOT NULL,
    -- Each write of the state or the facts adds one. A worker stores a reading only for the version that it read.
    version bigint NOT NULL DEFAULT 0,
    -- The stored state.
    status text,
    raw text,
    account_word text,
    verdict text,
    recognized text,
    reinstated_from text,
    acknowledged_before text,
    source text,
    since timestamptz,
    observed_at timestamptz,
    -- The facts of a verdict. `last_collection` is a day or `never`.
    signed_on date,
    signature_confirmed boolean,
    last_collection text CHECK (last_collection ~ '^(never|\d{4}-\d\d-\d\d)$'),
    revoked_by_debtor boolean,
    one_off_used boolean,
    last_acknowledged text,
    -- The day of the next planned collection, for the order of reading.
    collect_on date,
    -- The time of the next reading. Null: never again.
    next_check timestamptz DEFAULT now(),
    -- The order among due mandates: 0 first. See `urgency` in `src/mandates.rs`.
    urgency smallint NOT NULL DEFAULT 2,
    -- The last request to read the mandate at once.
    asked_at timestamptz,
    -- The last successful reading, even if it changed nothing.
    read_at timestamptz,
    -- The failed readings since then, and the kind of the last failure.
    failures integer NOT NULL DEFAULT 0,
    failure text,
    PRIMARY KEY (account, reference),
    FOREIGN KEY (account, vendor) REFERENCES account
);

-- Workers find the due mandates of a lane in this order. Rows without a next reading are not in the index.
CREATE INDEX mandate_due ON mandate (account, vendor, lane, urgency, next_check) WHERE next_check IS NOT NULL;
CREATE INDEX mandate_client ON mandate (account, client) WHERE client IS NOT NULL;
CREATE INDEX mandate_failure ON mandate (vendor, failure) WHERE failure IS NOT NULL;

-- The outbox: each change of a mandate once. The statement that stores a change stores the row, too.
CREATE TABLE change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    reference text NOT NULL,
    vendor text NOT NULL,
    -- The version of the row after the change. It grows with each change of a mandate.
    version bigint NOT NULL,
    class text,
    from_state jsonb,
    to_state jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (account, reference, version)
);

-- The last change that each consumer has processed.
CREATE TABLE consumer (
    name text PRIMARY KEY,
    last_id bigint NOT NULL DEFAULT 0
);

-- Numbers are given out in the order of commits: whoever adds changes waits for the commit of those before. Without
-- this lock, a reader could see number 8 before number 7, and skip 7 for ever. The trigger runs before the statement
-- gives out its first number.
CREATE FUNCTION number_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('mandat_fleet.change', 0));
    RETURN NULL;
END
$$;
CREATE TRIGGER number_changes BEFORE INSERT ON change FOR EACH STATEMENT EXECUTE FUNCTION number_changes();

CREATE FUNCTION tell_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('mandat_fleet_change', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_changes AFTER INSERT ON change FOR EACH STATEMENT EXECUTE FUNCTION tell_changes();

-- Adds the job of a lane, or moves it to `at`. A lane has one job that waits, and at most one that runs.
CREATE FUNCTION queue_lane(account text, vendor text, lane integer, at timestamptz, priority integer DEFAULT 0)
RETURNS void LANGUAGE sql AS $$
    SELECT graphile_worker.add_job(
        'read_lane', json_build_object('account', account, 'vendor', vendor, 'lane', lane),
        account || '/' || vendor || '/' || lane, at, 32767, account || '/' || vendor || '/' || lane, priority,
        ARRAY[account || '/' || vendor], 'replace')
$$;

-- Makes a mandate due at once: after a webhook, a redirect, or a call to your support. Returns false if the account has
-- no such mandate. Locks the row of the mandate and nothing else, so your transaction may be long: workers do not wait for
-- it, and read the mandate after its commit.
CREATE FUNCTION ask(account text, reference text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    found mandat_fleet.mandate;
BEGIN
    UPDATE mandat_fleet.mandate AS m
    SET next_check = clock_timestamp(), asked_at = clock_timestamp(), urgency = 0
    WHERE m.account = ask.account AND m.reference = ask.reference
    RETURNING m.* INTO found;
    IF found.reference IS NULL THEN
        RETURN false;
    END IF;
    -- A job without a key. One with the key of the lane would lock the waiting job until the end of the transaction.
    PERFORM graphile_worker.add_job(
        'read_lane', json_build_object('account', found.account, 'vendor', found.vendor, 'lane', found.lane),
        found.account || '/' || found.vendor || '/' || found.lane, clock_timestamp(), 32767, NULL, -1,
        ARRAY[found.account || '/' || found.vendor]);
    RETURN true;
END
$$;

-- The lane of a mandate. The mandates of one client share a lane, because one call reads them all.
CREATE FUNCTION lane_of(client text, reference text, lanes integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT mod(abs(mod(hashtextextended(coalesce(client, reference), 0), 1000003)), lanes)::integer
$$;

-- Creates an account at a vendor with its lanes and their jobs. Does nothing if the account exists.
CREATE FUNCTION add_account(account text, vendor text, rate integer, lanes integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mandat_fleet.account (account, vendor, rate, lanes)
    VALUES (add_account.account, add_account.vendor, add_account.rate, add_account.lanes) ON CONFLICT DO NOTHING;
    INSERT INTO mandat_fleet.lane (account, vendor, lane)
    SELECT a.account, a.vendor, n FROM mandat_fleet.account AS a, generate_series(0, a.lanes - 1) AS n
    WHERE a.account = add_account.account AND a.vendor = add_account.vendor ON CONFLICT DO NOTHING;
END
$$;

-- Adds the missing jobs of all lanes. A job is missing after its worker died between two of its statements.
CREATE FUNCTION queue_missing_lanes() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mandat_fleet.queue_lane(l.account, l.vendor, l.lane, clock_timestamp())
    FROM mandat_fleet.lane AS l
    WHERE NOT EXISTS (
        SELECT FROM graphile_worker.jobs AS j WHERE j.key = l.account || '/' || l.vendor || '/' || l.lane);
END
$$;
