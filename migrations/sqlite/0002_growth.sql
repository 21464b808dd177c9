-- What large fleets need. The twin of this file in the other engine's folder differs only in the names of types.

-- Open installs of a release: a recall asks for them (S10).
CREATE INDEX installs_open_of_update ON installs (update_id) WHERE state IN ('planned', 'started', 'installed');
