-- What a session is bound to: the thumbprint of a key of its client (RFC 7638), in base64url; null: nothing.
alter table session add column key_thumbprint text check (length(key_thumbprint) = 43);

-- Gateways hear of API keys by the same list, so family_hash in ended_session may also be the key_hash of an api_key.
