-- The database before the migration. Cart N belongs to user N; one user in twenty works for the shop.
CREATE SCHEMA cart;

CREATE TABLE cart.cart (
    id         integer PRIMARY KEY,
    user_id    integer NOT NULL,
    user_group text NOT NULL CHECK (user_group IN ('customer', 'internal')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cart.cart_item (
    cart_id    integer NOT NULL REFERENCES cart.cart (id),
    sku        text NOT NULL,
    quantity   integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(10, 2) NOT NULL CHECK (unit_price >= 0),
    PRIMARY KEY (cart_id, sku)
);

INSERT INTO cart.cart (id, user_id, user_group, created_at)
SELECT n, n, CASE WHEN n % 100 < 5 THEN 'internal' ELSE 'customer' END,
       timestamptz '2026-01-01 00:00:00+00' + n * interval '1 hour'
FROM generate_series(1, 200) AS n;

INSERT INTO cart.cart_item (cart_id, sku, quantity, unit_price)
SELECT n, 'BOOK-' || s, 1 + (n + s) % 3, 4.99 + s * 7.50 + n % 10
FROM generate_series(1, 200) AS n, generate_series(1, 3) AS s;
