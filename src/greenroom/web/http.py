"""HTTP as our listeners read it: uvicorn's faster parser, with the bound on what comes before a body that it lacks."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64 * 1024
"""So many bytes may a request line and headers have together, behind the piece of the stream in which they begin."""


class BoundedHttp(HttpToolsProtocol):
    """Ends a connection whose request line and headers do not come to an end: they would be kept in memory for ever."""

    _reads_head = False
    _begins = False
    _head = 0

    def data_received(self, data: bytes) -> None:
        """Read on; what is still head counts."""
        self._begins = False
        super().data_received(data)
        if self._reads_head and not self._begins:
            self._head += len(data)
            if self._head > LONGEST_HEAD and not self.transport.is_closing():
                self.send_400_response("The head of this request is too long.")

    def on_message_begin(self) -> None:
        """A head begins; what came before it in this piece belongs to another request."""
        self._reads_head, self._begins, self._head = True, True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It ended: a body may be as long as its reader bears."""
        self._reads_head = False
        super().on_headers_complete()
