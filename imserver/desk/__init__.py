"""The contact centre: clients wait in queues, agents take them."""
