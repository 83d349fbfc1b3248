"""The embedded mode: Temporal, the worker and the web server as children of one supervisor.

The supervisor is one thread around a selector and imports little: a start waits for it, and a child forked from a
single-threaded process may run the few lines that tie its life to its parent's.
"""
