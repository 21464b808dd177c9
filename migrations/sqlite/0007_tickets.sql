-- [I3] Until when an automatic ticket is nobody's concern, and why; NULL: it is. The twin of this file in the other engine's folder differs
-- only in the names of types.
ALTER TABLE tickets ADD COLUMN suppressed_until INTEGER;
ALTER TABLE tickets ADD COLUMN suppressed_reason TEXT;
-- [I3] Which kind of cause was found.
ALTER TABLE tickets ADD COLUMN resolution TEXT;
