"""Sockets: TCP, TLS, WebSocket, HTTP."""
