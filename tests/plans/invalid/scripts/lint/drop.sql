-- The old carts are copied by now.
DROP TABLE IF EXISTS cart_old CASCADE;
