"""The vocabulary of XMPP: addresses, elements, stanzas, errors, bytes. No I/O."""
