-- Which version of its prices does a project see now?
SELECT {include price_version} AS price_version
