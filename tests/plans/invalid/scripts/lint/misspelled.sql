-- Adds the code of a discount.
ALTER TABLE cart ADD COLUMN code text;

ALTER TABLE cart
  ADD COLUM note text;
