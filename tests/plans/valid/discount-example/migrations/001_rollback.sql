ALTER TABLE cart DROP COLUMN discount_amount;
ALTER TABLE cart DROP COLUMN discount_code;
