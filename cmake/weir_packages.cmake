# The third-party libraries that rooms may name in LIBRARIES. Found here, in the top scope, so that
# every folder sees their targets; packages.txt has the Debian packages that bring them.
#   CLI11::CLI11  fmt::fmt  hwy::hwy  nlohmann_json::nlohmann_json  PNG::PNG  protobuf::libprotobuf-lite  Snappy::snappy
# libzip is named `zip`: its CMake package of Debian 12 asks for programs of three other packages.
set(WEIR_PACKAGES CLI11 fmt hwy nlohmann_json PNG Protobuf Snappy)
foreach(package IN LISTS WEIR_PACKAGES)
  find_package(${package} REQUIRED)
endforeach()
