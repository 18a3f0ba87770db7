"""Verification documents (KYC): checked by what they are, not by what they are called, and kept as files.

The files are in `<data directory>/documents`, outside of everything that is served, under names made of their ids.
"""

import asyncio
import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from makola.core.checkout.desk import CheckoutPolicy, Desk
from makola.core.checkout.errors import InvalidDocumentError, UnknownMerchantAccountError
from makola.core.checkout.store import merchants
from makola.core.checkout.types import DocumentView, KycState, MerchantAccount
from makola.kit.clock import now
from makola.kit.ids import new_id

#: What a business proves itself with.
KINDS = ("certificate_of_incorporation", "business_registration", "tax_identification", "identity_card",
         "proof_of_address", "other")
_MOST_DOCUMENTS = 20
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_EXTENSIONS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


def _content_type_of(content: bytes) -> str | None:
    """Return what a file is by its content; None for what is not taken in."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]:
        return "application/pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR" and content.endswith(_PNG_END):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\0").endswith(b"\xff\xd9"):
        return "image/jpeg"
    return None


async def submit(desk: Desk, number: str, *, kind: str, file_name: str, content: bytes) -> UUID:
    """Store a document and put its account before the platform's reviewers; return the document's id.

    Args:
        desk: the services' own.
        number: of the merchant account.
        kind: one of `KINDS`.
        file_name: as its owner calls it; kept for people to read, never used as a path.
        content: PDF, PNG or JPEG.

    Raises:
        UnknownMerchantAccountError: there is no such account.
        InvalidDocumentError: it is too large, of no permitted type, or there are too many.
    """
    content_type = _check(desk.policy, kind, content)
    directory = desk.policy.document_directory
    if directory is None:
        raise InvalidDocumentError("This installation takes no documents in.", field="content")
    document_id = new_id()
    file = directory / f"{document_id.hex}.{_EXTENSIONS[content_type]}"
    # The file is on disk before the row that names it; a file without a row is harmless.
    await asyncio.to_thread(_write, file, content)
    try:
        await _store(desk, number, document_id, kind, _shown(file_name), content_type, content)
    except (UnknownMerchantAccountError, InvalidDocumentError):
        file.unlink(missing_ok=True)
        raise
    return document_id


async def _store(desk: Desk, number: str, document_id: UUID, kind: str, file_name: str, content_type: str,
                 content: bytes) -> None:
    async with desk.database.transaction() as connection:
        account = await merchants.lock(connection, number)
        if account is None:
            raise UnknownMerchantAccountError("There is no merchant account of this number.",
                                              field="account_number")
        if len(await merchants.documents(connection, account.merchant_account_id)) >= _MOST_DOCUMENTS:
            raise InvalidDocumentError(f"There may be at most {_MOST_DOCUMENTS} documents.", field="content")
        await merchants.insert_document(connection, document_id, account.merchant_account_id, kind, file_name,
                                        content_type, (len(content), hashlib.sha256(content).digest()), now())
        if account.kyc_state in {KycState.NONE, KycState.REJECTED}:
            await merchants.save(connection, replace(account, kyc_state=KycState.SUBMITTED, refused_because=""))


async def list_documents(desk: Desk, account: MerchantAccount) -> list[DocumentView]:
    """Return what was submitted for an account, the first one first."""
    return await merchants.documents(desk.database, account.merchant_account_id)


async def open_document(desk: Desk, account: MerchantAccount, document_id: UUID) -> Path:
    """Return the file of a document, for a reviewer.

    Raises:
        InvalidDocumentError: the account has no such document.
    """
    for row in await list_documents(desk, account):
        if row.document_id == document_id and desk.policy.document_directory is not None:
            return desk.policy.document_directory / f"{document_id.hex}.{_EXTENSIONS[row.content_type]}"
    raise InvalidDocumentError("There is no such document.", field="document_id")


def _check(policy: CheckoutPolicy, kind: str, content: bytes) -> str:
    if kind not in KINDS:
        raise InvalidDocumentError(f"A document is one of {', '.join(KINDS)}.", field="kind")
    if not content:
        raise InvalidDocumentError("The file is empty.", field="content")
    if len(content) > policy.document_limit_bytes:
        raise InvalidDocumentError(f"A file has at most {policy.document_limit_bytes} bytes.", field="content")
    content_type = _content_type_of(content)
    if content_type is None:
        raise InvalidDocumentError("Only whole PDF, PNG and JPEG files are taken in.", field="content")
    return content_type


def _shown(file_name: str) -> str:
    """Return a file's name as it may be shown: its last part, without signs that steer a terminal."""
    last = re.split(r"[/\\]", file_name)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:100]


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
