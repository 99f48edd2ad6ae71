-- What version 1 of the service does with the table still works, and existing rows have no discount.
\set ON_ERROR_STOP on
BEGIN;
DO $$
BEGIN
    ASSERT (SELECT count(*) FROM cart.cart WHERE discount_code IS NOT NULL OR discount_amount IS NOT NULL) = 0,
        'an existing cart has a discount';
    INSERT INTO cart.cart (id, user_id, user_group) VALUES (0, 0, 'customer');
    INSERT INTO cart.cart_item (cart_id, sku, quantity, unit_price) VALUES (0, 'BOOK-1', 2, 10.00);
    ASSERT (SELECT sum(quantity * unit_price) FROM cart.cart_item WHERE cart_id = 0) = 20.00,
        'the sum of a new cart is wrong';
END
$$;
ROLLBACK;
