"""How much of everything a request may ask for; discovery announces what clients should know."""

#: Resources a page, unless the request says (contract section 5).
DEFAULT_PAGE = 100
#: Resources a page at most.
MAX_PAGE = 1_000
#: Bytes of a request's body.
MAX_BODY = 1024 * 1024
#: Bytes of a request's first line and headers.
MAX_HEADERS = 64 * 1024
#: Operations of one PATCH.
MAX_OPERATIONS = 1_000
#: Conditions in all the paths of one PATCH, each of which is asked of every element.
MAX_PATCH_CONDITIONS = 1_000
#: Operations of one Bulk request.
MAX_BULK_OPERATIONS = 1_000
#: Elements of one multi-valued attribute.
MAX_ELEMENTS = 500
#: Characters, conditions and levels of a filter or a path.
MAX_FILTER_LENGTH = 8_000
MAX_FILTER_CONDITIONS = 100
MAX_FILTER_DEPTH = 20
#: Characters of userName, externalId and e-mail addresses.
MAX_KEY_LENGTH = 512
#: Levels of a JSON body.
MAX_JSON_DEPTH = 32
