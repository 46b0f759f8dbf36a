# What is installed: the library, its headers, its CMake package.

install(TARGETS weir EXPORT weir)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
