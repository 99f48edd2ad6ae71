ALTER TABLE cart ADD COLUMN discount_code VARCHAR(50);
ALTER TABLE cart ADD COLUMN discount_amount DECIMAL(10,2);
