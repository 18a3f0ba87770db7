"""Reading a form, whatever was sent as one."""

from litestar import Request
from litestar.datastructures import FormMultiDict, State
from litestar.exceptions import ClientException

_TOO_LARGE = 413


class UnreadableFormError(ClientException):
    """What was sent cannot be read as a form; the answer is 400."""

    detail = "This form could not be read. Go back, load the page again, and repeat it."


class FormTooLargeError(UnreadableFormError):
    """What was sent is larger than a form of ours can be; the answer is 413."""

    status_code = _TOO_LARGE
    detail = "This form is larger than can be taken. Go back, and write less in it."


async def read_form_data(request: Request[object, object, State]) -> FormMultiDict:
    """Return a form's fields; none where no form was sent.

    The parts of `multipart/form-data` may name a character set of their own (RFC 7578 section 4.4): one that does not
    exist or that the bytes are not in, or one that gives what is no text, such as UTF-7 with half a surrogate pair.

    Raises:
        UnreadableFormError: it cannot be read.
        FormTooLargeError: it is larger than the route takes.
    """
    try:
        form = await request.form()
        for _, value in form.multi_items():
            if isinstance(value, str):
                value.encode()
    except ClientException as error:
        if error.status_code == _TOO_LARGE:
            raise FormTooLargeError from error
        raise UnreadableFormError from error
    except (ValueError, LookupError) as error:  # UnicodeError is a ValueError; an unknown codec is a LookupError
        raise UnreadableFormError from error
    return form
