"""Ordering: shipping types, baskets, orders with their history, shipments."""

from makola.migrations.statements import execute

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    execute(
        """
        CREATE SCHEMA ordering;

        -- countries empty: anywhere; exclude_countries: anywhere but there.
        CREATE TABLE ordering.shipping_type (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL,
            countries bigint[] NOT NULL DEFAULT '{}',
            exclude_countries boolean NOT NULL DEFAULT false,
            CONSTRAINT shipping_type_name UNIQUE (name)
        );

        CREATE TABLE ordering.basket (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            organisation_id bigint NOT NULL,
            user_id bigint,
            name text NOT NULL,
            purchase_order_number text NOT NULL,
            shipping_address jsonb,
            shipping_type_id bigint REFERENCES ordering.shipping_type,
            provisioning_instructions text NOT NULL,
            order_id bigint,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL
        );
        CREATE INDEX basket_organisation ON ordering.basket (organisation_id, id);

        CREATE TABLE ordering.basket_item (
            basket_id bigint NOT NULL REFERENCES ordering.basket ON DELETE CASCADE,
            number smallint NOT NULL,
            product_code text NOT NULL,
            product_id bigint,
            prov_product_code text NOT NULL,
            quantity bigint NOT NULL,
            CONSTRAINT basket_item_pkey PRIMARY KEY (basket_id, number)
        );

        -- reference: the ledger's hold, the subject of the callbacks, and what the warehouse knows the order by.
        -- handed_over: the warehouse may know of it. errand and due_at: what a worker must do next, and when (or
        -- until when another worker has it in hand).
        CREATE TABLE ordering."order" (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            reference uuid NOT NULL,
            organisation_id bigint NOT NULL,
            user_id bigint,
            state text NOT NULL,
            name text NOT NULL,
            purchase_order_number text NOT NULL,
            shipping_address jsonb,
            shipping_type_id bigint REFERENCES ordering.shipping_type,
            provisioning_instructions text NOT NULL,
            history_count integer NOT NULL,
            submission_count integer NOT NULL DEFAULT 0,
            handed_over boolean NOT NULL DEFAULT false,
            errand text NOT NULL DEFAULT '',
            due_at timestamptz,
            attempt_count integer NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT order_reference UNIQUE (reference),
            CONSTRAINT order_state CHECK (state IN ('CREATED', 'PROCESSING', 'ATTENTION_REQUIRED', 'ACCEPTED',
                'PART_SHIPPED', 'SHIPPED', 'COMPLETE', 'FAILED', 'CANCELLED')),
            CONSTRAINT order_errand CHECK (errand IN ('', 'process', 'cancel'))
        ) WITH (fillfactor = 80);
        CREATE INDEX order_organisation ON ordering."order" (organisation_id, id);
        CREATE INDEX order_by_state ON ordering."order" (state, id);
        CREATE UNIQUE INDEX order_purchase_order_number ON ordering."order" (organisation_id, purchase_order_number)
            WHERE purchase_order_number <> '';
        CREATE INDEX order_due ON ordering."order" (due_at) WHERE due_at IS NOT NULL;

        -- quoted_units and shipping_units: the buyer's price for one, and for shipping it, when it ordered. tier_*:
        -- what each tier pays for one, root first, frozen at acceptance and empty until then.
        CREATE TABLE ordering.line_item (
            order_id bigint NOT NULL REFERENCES ordering."order",
            number smallint NOT NULL,
            product_id bigint NOT NULL,
            product_code text NOT NULL,
            vendor_id bigint,
            name text NOT NULL,
            prov_product_code text NOT NULL,
            quantity bigint NOT NULL,
            shipped_quantity bigint NOT NULL DEFAULT 0,
            is_shippable boolean NOT NULL,
            currency text NOT NULL,
            quoted_units bigint NOT NULL,
            shipping_units bigint NOT NULL,
            tier_organisation_ids bigint[] NOT NULL DEFAULT '{}',
            tier_currencies text[] NOT NULL DEFAULT '{}',
            tier_units bigint[] NOT NULL DEFAULT '{}',
            CONSTRAINT line_item_pkey PRIMARY KEY (order_id, number),
            CONSTRAINT line_item_quantity CHECK (quantity > 0 AND shipped_quantity BETWEEN 0 AND quantity)
        ) WITH (fillfactor = 90);

        CREATE TABLE ordering.history (
            order_id bigint NOT NULL REFERENCES ordering."order",
            number integer NOT NULL,
            state text NOT NULL,
            at timestamptz NOT NULL,
            reason text NOT NULL,
            note text NOT NULL,
            origin text NOT NULL,
            organisation_id bigint,
            user_id bigint,
            real_user_id bigint,
            origin_name text NOT NULL,
            CONSTRAINT history_pkey PRIMARY KEY (order_id, number),
            CONSTRAINT history_origin CHECK (origin IN ('reseller', 'seller', 'warehouse', 'system'))
        );

        -- external_id: the warehouse's own name for the shipment, by which a repeated notice is recognised.
        -- hold_id: the ledger's hold that this shipment posted; NULL where nothing was to be paid.
        CREATE TABLE ordering.shipment (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            order_id bigint NOT NULL REFERENCES ordering."order",
            external_id text,
            carrier text NOT NULL,
            tracking_number text NOT NULL,
            tracking_url text NOT NULL,
            hold_id uuid,
            shipped_at timestamptz NOT NULL,
            CONSTRAINT shipment_external_id UNIQUE (order_id, external_id)
        );
        CREATE INDEX shipment_order ON ordering.shipment (order_id, id);

        CREATE TABLE ordering.shipped_item (
            shipment_id bigint NOT NULL REFERENCES ordering.shipment,
            line_number smallint NOT NULL,
            quantity bigint NOT NULL,
            serial_numbers text[] NOT NULL,
            mac_addresses text[] NOT NULL,
            CONSTRAINT shipped_item_pkey PRIMARY KEY (shipment_id, line_number),
            CONSTRAINT shipped_item_quantity CHECK (quantity > 0)
        );

        CREATE TABLE ordering.organisation_settings (
            organisation_id bigint PRIMARY KEY,
            callback_url text NOT NULL,
            updated_at timestamptz NOT NULL
        );

        -- What a warehouse's program has said: each notice counts once.
        CREATE TABLE ordering.notice (
            notice_id text PRIMARY KEY,
            received_at timestamptz NOT NULL
        );
        CREATE INDEX notice_age ON ordering.notice (received_at);

        -- What makes a repeated request recognisable, and what it was answered.
        CREATE TABLE ordering.request_key (
            application_id bigint NOT NULL,
            key text NOT NULL,
            request_sha256 bytea NOT NULL,
            answer bytea NOT NULL,
            created_at timestamptz NOT NULL,
            CONSTRAINT request_key_pkey PRIMARY KEY (application_id, key)
        );
        CREATE INDEX request_key_age ON ordering.request_key (created_at);
        """
    )


def downgrade() -> None:
    execute("DROP SCHEMA ordering CASCADE")
