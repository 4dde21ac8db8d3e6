"""The browser's socket on one video, as a state machine.

    connecting --handshake, member--> greeting --resume--> open --anything that ends it--> closed

* greeting: only `resume` and `ping` are understood.
* open: each message that changes something is answered by `ack` or `error`. A malformed or refused message does not
  close the socket.
* closed by the page, or by the server with a code of protocol.CLOSE_CODES: for example if the person is signed out or
  no member any more, the page is outdated, or a message was too large or came too fast.

The sender is checked for each message that reads or changes the video, and every few seconds.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import MutableMapping
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Any, cast

import structlog
from django.db import DatabaseError
from pydantic import TypeAdapter, ValidationError

from webapp.annotation.schemas import Key, Person, RoleName
from webapp.annotation.state import person
from webapp.jobs import leases
from webapp.jobs.looked import Gaze, add_looked
from webapp.live import change_feed, previewing
from webapp.live.actions import perform
from webapp.live.client_messages import (
    MAX_MESSAGE_BYTES,
    ClientMessage,
    Command,
    Looking,
    Ping,
    PreviewAsk,
    Resume,
    client_messages,
    sentence_of,
)
from webapp.live.follower import Follower, Subscriber
from webapp.live.hub import Hub
from webapp.live.outbox import Outbox, Payload
from webapp.live.protocol import PROTOCOL_VERSION, Ack, Error, Pong, Welcome
from webapp.live.rate import Bucket
from webapp.live.socket_auth import CloseSocket, Handshake, check, handshake_of, signed_in, signed_in_call
from webapp.live.threads import in_thread
from webapp.prepared import read_ahead
from webapp.problems import NotFound, Problem
from webapp.projects.models import Role
from webapp.storable import refusal_of
from webapp.videos.access import video_and_role_call
from webapp.videos.models import Video

log = structlog.get_logger(__name__)

BURST, RATE = 400, 40  # messages at once (scribbles drawn while offline), and messages a second
CHECK_SECONDS = 5.0
RESUME_SECONDS = 20.0

_keys: TypeAdapter[str] = TypeAdapter(Key)


class Step(Enum):
    CONNECTING = "connecting"
    GREETING = "greeting"
    OPEN = "open"
    CLOSED = "closed"


class VideoSocket:
    """The socket of one page that has one video open.

    One asyncio task receives and another one sends, so that a browser that reads slowly can still send messages.
    """

    def __init__(self, hub: Hub, video_id: int, scope: Any, receive: Any, send: Any) -> None:
        self.hub = hub
        self.scope, self._receive, self._send = scope, receive, send
        self.video_id = video_id
        self.step = Step.CONNECTING
        self.connection = secrets.token_hex(16)
        self.outbox = Outbox()
        self.bucket = Bucket(BURST, RATE)
        self.handshake: Handshake
        self.me: Person
        self.gaze: Gaze
        self.follower: Follower | None = None
        self.subscriber: Subscriber
        self._previewing: asyncio.Task[None] | None = None  # It waits for the preview that was asked for last.
        self._closing: int | None = None  # the code with which the socket closes once the outbox is empty
        self._role: Role | None = None  # the role that the page knows
        self._resuming = False  # true once the page has sent `resume`; from then on it waits for the welcome
        self._welcoming = asyncio.Lock()  # allows one welcome at a time: an older one must not follow a newer one

    async def run(self) -> None:
        """Serve the connection from its handshake to its end."""
        if (await self._receive())["type"] != "websocket.connect":
            return
        await self._send({"type": "websocket.accept"})  # a page sees close codes only on an accepted socket
        try:
            self.handshake = handshake_of(self.scope, self.video_id)
            user, _ = await in_thread(check, self.handshake, opened=False)
        except CloseSocket as reason:
            await self._close(reason.code)
            return
        self.me, self.step = person(user), Step.GREETING
        self.gaze = Gaze(await in_thread(self._fps))
        structlog.contextvars.bind_contextvars(video=self.video_id, user=user.pk)
        tasks = [asyncio.create_task(part) for part in (self._take_in(), self._send_out(), self._keep_checking())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.step = Step.CLOSED
            if self._previewing is not None:
                tasks.append(self._previewing)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            if self.follower is not None:
                await self.hub.leave(self.follower, self.subscriber)
            await self._store_looked()
            await self._release_leases()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _fps(self) -> float:
        return Video.objects.filter(pk=self.video_id).values_list("fps", flat=True).first() or 24.0

    async def _store_looked(self) -> None:
        """Store which frames the person has looked at since the last call. If the database is away, they are lost."""
        if frames := self.gaze.take():
            try:
                store = partial(add_looked, video_id=self.video_id, user_id=self.me.id, frames=frames)
                await in_thread(store)
            except DatabaseError as error:
                log.warning("looked_not_stored", video=self.video_id, error=str(error))

    async def _release_leases(self) -> None:
        """Let others draw on the objects that this page held. Otherwise they wait until the leases expire."""
        try:
            await in_thread(leases.release_connection, self.video_id, self.connection)
        except DatabaseError as error:
            log.warning("leases_not_released", video=self.video_id, error=str(error))

    # --- receiving ----------------------------------------------------------------------------------------------

    async def _take_in(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                return
            try:
                await self._take(event)
            except CloseSocket as reason:
                self._close_after_sending(reason.code)
            if self._closing is not None:
                await asyncio.Event().wait()  # the sending task closes the socket; nothing more is read

    async def _take(self, event: MutableMapping[str, Any]) -> None:
        text = event.get("text")
        size = len(event.get("bytes") or b"") if text is None else len(text.encode())
        if size > MAX_MESSAGE_BYTES:
            self._refuse("too_large", f"A message may have {MAX_MESSAGE_BYTES // 1024} kB; this one was not stored.")
            self._close_after_sending(4413)
            return
        if not self.bucket.take():
            self._refuse("too_many", "Too many messages in a short time; this one was not stored.")
            self._close_after_sending(4429)
            return
        if text is None:
            self._refuse("malformed", "Expected a text message, got a binary one.")
            return
        message = self._parse(text)
        if message is not None:
            await self._handle(message)

    def _parse(self, text: str) -> ClientMessage | None:
        try:
            raw = json.loads(text)
            refusal = refusal_of(raw)
        except (ValueError, RecursionError):
            self._refuse("malformed", "This message is no JSON.")
            return None
        key = raw.get("key") if isinstance(raw, dict) else None
        if refusal is not None:
            self._refuse("malformed", refusal, key if _is_key(key) else None)
            return None
        try:
            return client_messages.validate_python(raw)
        except ValidationError as problem:
            self._refuse("malformed", sentence_of(problem), key if _is_key(key) else None)
            return None

    async def _handle(self, message: ClientMessage) -> None:
        match message:
            case Ping():
                self.outbox.message(Pong(type="pong").model_dump_json())
            case Resume():
                await self._resume(message)
            case _ if self.step is not Step.OPEN:
                key = getattr(message, "key", None)
                self._refuse("not_resumed", f"Expected resume first, got {message.type}.", key)
            case Looking():
                if self.follower is not None:
                    self.gaze.look(message.frame, asyncio.get_running_loop().time())
                    self.follower.set_presence(self.subscriber, self.me, message.frame)
            case PreviewAsk():
                if self._previewing is not None:
                    self._previewing.cancel()
                if self.follower is not None:
                    self._previewing = asyncio.create_task(self._preview(message, self.follower))
            case _:
                await self._perform(message)

    async def _preview(self, message: PreviewAsk, follower: Follower) -> None:
        try:
            data = await previewing.fetch(partial(self._ask_preview, message), follower.next_wake)
        except CloseSocket as reason:
            self._close_after_sending(reason.code)
        except Problem as problem:
            self._refuse(problem.code, problem.text)
        except DatabaseError as error:
            log.warning("preview_not_asked", video=self.video_id, error=str(error))
        else:
            if data is not None:
                self.outbox.hint("preview", data)

    def _ask_preview(self, message: PreviewAsk) -> int:
        user, _ = check(self.handshake, opened=True)
        return previewing.ask(user, self.video_id, message)

    async def _perform(self, message: Command) -> None:
        try:
            result = await in_thread(self._checked, message)
        except Problem as problem:
            head = problem.extra.get("head")
            self._refuse(problem.code, problem.text, message.key, head if isinstance(head, int) else None)
        except DatabaseError as error:
            log.error("message_not_stored", kind=message.type, video=self.video_id, exc_info=error)
            self._refuse("not_stored", "The database did not take this. Try again in a moment.", message.key)
        else:
            self.outbox.message(Ack(type="ack", key=message.key, result=result).model_dump_json())

    def _checked(self, message: Command) -> int | None:
        who = video_and_role_call(self.handshake.user_id, self.video_id)
        try:
            with read_ahead(signed_in_call(self.handshake), who):
                return perform(signed_in(self.handshake), self.video_id, message, self.connection)
        except NotFound:
            check(self.handshake, opened=True)  # This closes the socket if it is the video that was not found.
            raise

    # --- resume -----------------------------------------------------------------------------------------------------

    async def _resume(self, message: Resume) -> None:
        if message.version != PROTOCOL_VERSION:
            self._refuse("old_page", f"This server speaks version {PROTOCOL_VERSION}, the page {message.version}.")
            raise CloseSocket(4400)
        self._resuming = True
        try:
            if self.follower is None:
                self.follower, self.subscriber = await self.hub.join(self.video_id, self.outbox)
            await self._welcome(message.seq, message.mask_seq)
        except DatabaseError as error:
            log.error("socket_not_resumed", video=self.video_id, exc_info=error)
            raise CloseSocket(4503) from None
        self.step = Step.OPEN
        self.follower.greet(self.subscriber)

    async def _welcome(self, seq: int, mask_seq: int) -> None:
        async with self._welcoming:
            self.subscriber.wait()
            await self._tell_catchup(seq, mask_seq)

    async def _tell_catchup(self, seq: int, mask_seq: int) -> None:
        role, catchup = await in_thread(self._read_catchup, seq, mask_seq)
        self.outbox.forget()
        worker = self.hub.worker or await self.hub.worker_status()
        welcome = Welcome(
            type="welcome",
            version=PROTOCOL_VERSION,
            you=self.me,
            role=cast(RoleName, role.value),
            state=catchup.state,
            worker=worker,
        )
        self._role = role
        self.outbox.message(welcome.model_dump_json())
        self.outbox.masks(catchup.masks)
        self.outbox.tell(catchup.changes)
        self.subscriber.caught_up(catchup.seq, catchup.mask_seq, role)

    def _read_catchup(self, seq: int, mask_seq: int) -> tuple[Role, change_feed.Catchup]:
        _, role = check(self.handshake, opened=self.step is Step.OPEN)
        video = Video.objects.select_related("project").get(pk=self.video_id)
        return role, change_feed.catch_up(video, role, seq, mask_seq)

    # --- sending ----------------------------------------------------------------------------------------------

    async def _send_out(self) -> None:
        while True:
            await self.outbox.filled.wait()
            await self._fill_gap()
            while (payload := self.outbox.next()) is not None:
                await self._send(_event(payload))
                await self._fill_gap()  # the outbox can overflow while a message is being sent
            if self._closing is not None:
                await self._close(self._closing)
                return

    async def _fill_gap(self) -> None:
        """Send the whole state if the outbox had no room for a row of the change log, which the page would miss."""
        if self.outbox.overflowed and self.step is Step.OPEN and self._closing is None:
            await self._tell_all()

    async def _tell_all(self) -> None:
        try:
            await self._welcome(0, 0)
        except CloseSocket as reason:
            self._end_over_gap(reason.code)
        except DatabaseError as error:
            log.error("gap_not_filled", video=self.video_id, exc_info=error)
            self._end_over_gap(4503)

    def _end_over_gap(self, code: int) -> None:
        self.outbox.forget()
        self._close_after_sending(code)

    async def _keep_checking(self) -> None:
        began = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(min(CHECK_SECONDS, RESUME_SECONDS))
            if self.step is Step.GREETING and asyncio.get_running_loop().time() - began >= RESUME_SECONDS:
                self._close_after_sending(4503 if self._resuming else 4400)
            try:
                _, role = await in_thread(check, self.handshake, opened=True)
                if self.step is Step.OPEN and role != self._role and self._closing is None:
                    await self._tell_all()  # the state depends on the role
                await self._store_looked()
            except CloseSocket as reason:
                self._close_after_sending(reason.code)
            except DatabaseError as error:
                log.warning("handshake_not_checked", video=self.video_id, error=str(error))

    def _refuse(self, code: str, text: str, key: str | None = None, head: int | None = None) -> None:
        self.outbox.message(Error(type="error", code=code, text=text, key=key, head=head).model_dump_json())

    def _close_after_sending(self, code: int) -> None:
        self._closing = code
        self.outbox.filled.set()

    async def _close(self, code: int) -> None:
        self.step = Step.CLOSED
        with suppress(OSError):  # the browser may be gone by now
            await self._send({"type": "websocket.close", "code": code})


def _is_key(value: object) -> bool:
    """Return whether `value` is a valid key of a message, which the answer repeats."""
    try:
        _keys.validate_python(value)
    except ValidationError:
        return False
    return True


def _event(payload: Payload) -> dict[str, Any]:
    name = "bytes" if isinstance(payload, bytes) else "text"
    return {"type": "websocket.send", name: payload}


def socket_app(hub: Hub) -> Any:
    """Return the ASGI application of /ws/videos/<video_id>."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await VideoSocket(hub, scope["url_route"]["kwargs"]["video_id"], scope, receive, send).run()

    return app
