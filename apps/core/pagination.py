from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """Pages that stay stable while rows are added; newest first."""

    ordering = "-created_at"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
