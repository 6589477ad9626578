"""Operations on a session that block until they are done: play, record, collect digits, originate, bridge."""
